package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Summary is what a shop's storage holds after the demo. Every number is read
// back through the API; nothing is counted on the way in.
type Summary struct {
	Shop      string         `json:"shop"`
	Clicks    Events         `json:"clicks"`    // the days of the file
	Orders    Events         `json:"orders"`    // invented, sent in the night after
	Companion Events         `json:"companion"` // the invented day
	Offers    map[string]int `json:"offers"`    // none hint human
	Why       []Why          `json:"why"`       // commonest reasons by offer
	Prices    map[string]int `json:"prices"`    // price allowed/denied; of those that announce a reduction, claim allowed/denied
	Contacts  map[string]int `json:"contacts"`
	Switches  int            `json:"switches"`
	Export    Export         `json:"export"`
}

// Events counts what became of the events of a period.
type Events struct {
	Admitted  int            `json:"admitted"`
	Turned    int            `json:"refused_events"`
	Refused   map[string]int `json:"refused"` // by rule; an event may break several
	Invalid   map[string]int `json:"invalid"` // by code
	Duplicate int            `json:"duplicate"`
}

// Why is a rule that led to an offer, with the words a shopper reads.
type Why struct {
	Offer string `json:"offer"`
	Rule  string `json:"rule"`
	En    string `json:"en"`
	N     int    `json:"n"`
}

// Export is what the night published.
type Export struct {
	Date     string   `json:"date"`
	Files    int      `json:"files"`
	Manifest manifest `json:"manifest"`
}

// manifest is the part of an export's manifest that the summary shows. A number
// is null where it would be about too few persons.
type manifest struct {
	K        int `json:"k"`
	Segments []struct {
		Name     string `json:"segment"`
		Members  *int64 `json:"members"`
		Withheld string `json:"withheld"`
		Channels []struct {
			Channel   string `json:"channel"`
			Published bool   `json:"published"`
			Rows      *int64 `json:"rows"`
			Loss      *int64 `json:"consent_loss"`
		} `json:"channels"`
	} `json:"segments"`
	Suppressed []struct {
		Segment string `json:"segment"`
		Channel string `json:"channel"`
	} `json:"suppressed"`
}

// Summarise reads back what the shop stored of the world and its companion day.
func (w *World) Summarise(ctx context.Context, s *Shop) (Summary, error) {
	sum := Summary{Shop: s.Name}
	var err error
	sum.Clicks, sum.Orders = noEvents(), noEvents()
	for d := w.Days[0]; d.Before(w.Extra); d = d.AddDate(0, 0, 1) {
		orders := d.Add(ordersAt)
		if err = sum.Orders.add(ctx, s, orders, orders.Add(time.Hour)); err != nil {
			return sum, err
		}
		if err = sum.Clicks.add(ctx, s, orders.Add(time.Hour), orders.AddDate(0, 0, 1)); err != nil {
			return sum, err
		}
	}
	if sum.Companion, err = s.events(ctx, w.Extra, w.Extra.AddDate(0, 0, 1)); err != nil {
		return sum, err
	}
	if err = sum.readDecisions(ctx, s); err != nil {
		return sum, err
	}
	return sum, sum.readExport(ctx, s)
}

func noEvents() Events { return Events{Refused: map[string]int{}, Invalid: map[string]int{}} }

// add counts a period, too.
func (e *Events) add(ctx context.Context, s *Shop, from, to time.Time) error {
	more, err := s.events(ctx, from, to)
	e.Admitted, e.Turned, e.Duplicate = e.Admitted+more.Admitted, e.Turned+more.Turned, e.Duplicate+more.Duplicate
	for into, of := range map[*map[string]int]map[string]int{&e.Refused: more.Refused, &e.Invalid: more.Invalid} {
		for k, n := range of {
			(*into)[k] += n
		}
	}
	return err
}

func (s *Shop) events(ctx context.Context, from, to time.Time) (Events, error) {
	var got struct{ Events map[string]int }
	path := fmt.Sprintf("/v1/stats?from=%s&to=%s", from.Format(time.RFC3339), to.Format(time.RFC3339))
	if err := s.want(ctx, 200, "GET", path, "dpo", nil, &got); err != nil {
		return Events{}, err
	}
	e := Events{Admitted: got.Events["admitted"], Turned: got.Events["refused"], Duplicate: got.Events["duplicate"], Refused: map[string]int{}, Invalid: map[string]int{}}
	for name, n := range got.Events {
		if rule, ok := strings.CutPrefix(name, "refused/"); ok {
			e.Refused[rule] = n
		}
		if code, ok := strings.CutPrefix(name, "invalid/"); ok {
			e.Invalid[code] = n
		}
	}
	return e, nil
}

type decision struct {
	Record struct {
		Action string          `json:"action"`
		Rules  []string        `json:"rules"`
		Input  json.RawMessage `json:"input"`
		Result json.RawMessage `json:"result"`
	} `json:"record"`
	Reasons []struct{ Rule, En string } `json:"reasons"`
}

// decisions pages through every record of an action.
func (s *Shop) decisions(ctx context.Context, action string, see func(decision) error) error {
	for cursor := ""; ; {
		var page struct {
			Decisions []decision
			Cursor    string
		}
		if err := s.want(ctx, 200, "POST", "/v1/decisions/search", "dpo", object{"action": action, "limit": 500, "cursor": cursor}, &page); err != nil {
			return err
		}
		for _, d := range page.Decisions {
			if err := see(d); err != nil {
				return err
			}
		}
		if cursor = page.Cursor; cursor == "" {
			return nil
		}
	}
}

func (sum *Summary) readDecisions(ctx context.Context, s *Shop) error {
	sum.Offers, sum.Prices, sum.Contacts = map[string]int{}, map[string]int{}, map[string]int{}
	why := map[Why]int{}
	err := s.decisions(ctx, "escalate", func(d decision) error {
		var r struct{ Offer string }
		if err := json.Unmarshal(d.Record.Result, &r); err != nil {
			return fmt.Errorf("reading an offer's result: %w", err)
		}
		sum.Offers[r.Offer]++
		for _, x := range d.Reasons {
			why[Why{Offer: r.Offer, Rule: x.Rule, En: x.En}]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k, n := range why {
		k.N = n
		sum.Why = append(sum.Why, k)
	}
	slices.SortFunc(sum.Why, func(a, b Why) int {
		return cmp.Or(cmp.Compare(a.Offer, b.Offer), cmp.Compare(b.N, a.N), cmp.Compare(a.Rule, b.Rule))
	})
	if err = s.decisions(ctx, "price", sum.price); err != nil {
		return err
	}
	if err = s.decisions(ctx, "handover", func(decision) error { sum.Contacts["handed over"]++; return nil }); err != nil {
		return err
	}
	if err = s.decisions(ctx, "card", func(decision) error { sum.Contacts["cards read"]++; return nil }); err != nil {
		return err
	}
	return s.decisions(ctx, "switch", func(decision) error { sum.Switches++; return nil })
}

// price counts a quote, and the claim that it makes, if it announces a reduction.
func (sum *Summary) price(d decision) error {
	var asked struct {
		Quote struct{ Announcement struct{ Kind string } }
	}
	var r struct {
		Price bool `json:"price_allowed"`
		Claim bool `json:"claim_allowed"`
	}
	if err := json.Unmarshal(d.Record.Input, &asked); err != nil {
		return fmt.Errorf("reading a price's input: %w", err)
	}
	if err := json.Unmarshal(d.Record.Result, &r); err != nil {
		return fmt.Errorf("reading a price's result: %w", err)
	}
	sum.Prices[map[bool]string{true: "price allowed", false: "price denied"}[r.Price]]++
	if kind := asked.Quote.Announcement.Kind; kind != "" && kind != "none" {
		sum.Prices[map[bool]string{true: "claim allowed", false: "claim denied"}[r.Claim]]++
	}
	return nil
}

func (sum *Summary) readExport(ctx context.Context, s *Shop) error {
	var list struct {
		Exports []struct {
			Date  string
			Files []string
		}
	}
	if err := s.want(ctx, 200, "GET", "/v1/exports", "marketing", nil, &list); err != nil {
		return err
	}
	if len(list.Exports) == 0 {
		return fmt.Errorf("summing up: the night published no export")
	}
	newest := list.Exports[0]
	sum.Export = Export{Date: newest.Date, Files: len(newest.Files)}
	return s.want(ctx, 200, "GET", "/v1/exports/"+newest.Date+"/manifest.json", "marketing", nil, &sum.Export.Manifest)
}

// byCount lists a map's keys, most first.
func byCount(m map[string]int) []string {
	keys := slices.Collect(maps.Keys(m))
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b)) })
	return keys
}
