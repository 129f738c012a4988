package chart

// Bin holds a mean prediction against what was observed, both from 0 to 1.
type Bin struct {
	Predicted, Observed float64
	Low, High           float64 // interval of Observed
	Weight              float64 // share of all that lies in the bin: the size of its dot
}

// Calibration draws what was observed over what was predicted. On the dashed line
// both are equal. The axes end at the largest number shown.
func Calibration(h Head, bins []Bin, across, up string, write func(float64) string) string {
	const left, bottom, side = 58.0, 366.0, 340.0
	c := begin(h, bottom+52)
	most := 0.0
	for _, b := range bins {
		most = max(most, b.Predicted, b.Observed, b.High)
	}
	at := ticks(0, min(1, max(.05, most)), 5)
	x, y := over(at, left, left+side), over(at, bottom, bottom-side)
	for _, t := range at {
		c.line("grid", left, y.at(t), left+side, y.at(t))
		c.line("grid", x.at(t), bottom, x.at(t), bottom-side)
		c.text("end", left-6, y.at(t)+4, write(t))
		c.text("middle", x.at(t), bottom+17, write(t))
	}
	c.line("ref", x.at(at[0]), y.at(at[0]), x.at(at[len(at)-1]), y.at(at[len(at)-1]))
	for _, b := range bins {
		px := x.at(b.Predicted)
		c.line("line", px, y.at(b.Low), px, y.at(b.High))
		c.line("line", px-4, y.at(b.Low), px+4, y.at(b.Low))
		c.line("line", px-4, y.at(b.High), px+4, y.at(b.High))
		c.dot("mark", px, y.at(b.Observed), 3+5*min(1, b.Weight))
	}
	c.text("start", 2, 12, up)
	c.text("middle", left+side/2, bottom+40, across)
	return c.end()
}
