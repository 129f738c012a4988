package variant

// Row is a line of the variant board.
type Row struct {
	Slot      string  `json:"slot"`
	Segment   string  `json:"segment"` // "" for everybody without one of their own
	Variant   string  `json:"variant"`
	N         int64   `json:"n"` // units; 0: fewer than k persons
	Mean      float64 `json:"mean"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Share     int64   `json:"share_ppm"`
	Current   int64   `json:"current_ppm"`
	Guardrail string  `json:"guardrail,omitempty"` // metrics that veto
	Verdict   string  `json:"verdict"`             // better | worse | don't know, than the shares in force
}

// board lists every variant for every segment that has an estimate of its own.
func (p Proposal) board(slot Slot, current map[string]map[string]int64) []Row {
	guards := map[string]string{}
	for _, v := range p.Vetoes {
		if guards[v.Variant] != "" {
			guards[v.Variant] += ", "
		}
		guards[v.Variant] += v.Metric
	}
	var out []Row
	for _, segment := range p.Posterior.Segments() {
		now, ok := current[segment]
		if !ok {
			now = current[""]
		}
		then, ok := p.Weights[segment]
		if !ok {
			then = p.Weights[""]
		}
		for i, m := range p.Posterior.Means(segment) {
			r := Row{
				Slot: slot.Name, Segment: segment, Variant: m.Variant, N: m.N, Mean: m.Value, Low: m.Low, High: m.High,
				Share: then[m.Variant], Current: now[m.Variant], Guardrail: guards[m.Variant], Verdict: DontKnow,
			}
			_, better := p.Posterior.against(segment, i, now)
			if m.N > 0 && better >= sure {
				r.Verdict = "better"
			} else if m.N > 0 && better <= 1-sure {
				r.Verdict = "worse"
			}
			out = append(out, r)
		}
	}
	return out
}

// DontKnow is the verdict where the data do not tell.
const DontKnow = "don't know"

// sure is the probability from which the board calls a variant better or worse.
const sure = .95
