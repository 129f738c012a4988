package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// changed compares what a record holds with what the candidate would have said.
func (r *replayReport) changed(rec decide.Record, then flow.Replayed) {
	e := exampleOf(rec, then, "")
	if len(e.Fields) == 0 {
		return
	}
	e.Kind = kindOfChange(rec, then)
	c := r.Candidate
	for _, s := range segmentsOf(rec) {
		at(c.BySegment, s).add(e.Kind)
	}
	switch e.Kind {
	case "newly_denied":
		r.NewlyDenied++
	case "newly_allowed":
		r.NewlyAllowed++
	default:
		r.Changed++
	}
	for name := range e.Fields {
		c.Fields[rec.Action+"."+name]++
	}
	for _, id := range then.Rules {
		if !slices.Contains(rec.Rules, id) {
			at(c.ByRule, id).Appears++
		}
	}
	for _, id := range rec.Rules {
		if !slices.Contains(then.Rules, id) {
			at(c.ByRule, id).Vanishes++
		}
	}
	c.Prices.add(rec, then)
	if key := rec.Action + e.Kind; c.shown[key] < r.limit {
		c.shown[key]++
		c.Examples = append(c.Examples, e)
	}
}

func (c *changeCount) add(kind string) {
	switch kind {
	case "newly_denied":
		c.NewlyDenied++
	case "newly_allowed":
		c.NewlyAllowed++
	default:
		c.Changed++
	}
}

// exampleOf gives the members of result, rules and an export's cases that differ.
func exampleOf(rec decide.Record, then flow.Replayed, kind string) replayExample {
	e := replayExample{ID: rec.ID, Action: rec.Action, Kind: kind, Fields: map[string][2]json.RawMessage{}}
	was, is := members(rec.Result), members(then.Result)
	if rec.Action == decide.ActionExport {
		was["cases"], is["cases"] = members(rec.Input)["cases"], members(then.Input)["cases"]
	}
	rules := func(ids []string) json.RawMessage { b, _ := json.Marshal(append([]string{}, ids...)); return b } // strings always marshal
	was["rules"], is["rules"] = rules(rec.Rules), rules(then.Rules)
	for name := range was {
		if !bytes.Equal(was[name], is[name]) {
			e.Fields[name] = [2]json.RawMessage{was[name], orNull(is[name])}
		}
	}
	for name := range is {
		if was[name] == nil {
			e.Fields[name] = [2]json.RawMessage{json.RawMessage("null"), is[name]}
		}
	}
	return e
}

func orNull(b json.RawMessage) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

func members(b json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal(b, &m) // what is no object has no members
	return m
}

// kindOfChange says who loses or gains: a loss counts before a gain.
func kindOfChange(rec decide.Record, then flow.Replayed) string {
	was, is := granted(rec.Action, rec.Result, rec.Input), granted(rec.Action, then.Result, then.Input)
	kind := "changed"
	for name, yes := range was {
		if yes && !is[name] {
			return "newly_denied"
		}
		if !yes && is[name] {
			kind = "newly_allowed"
		}
	}
	return kind
}

// granted names what a decision can allow, and whether it did.
func granted(action string, result, input json.RawMessage) map[string]bool {
	var v struct {
		Offer        string                   `json:"offer"`
		Allowed      bool                     `json:"allowed"`
		PriceAllowed bool                     `json:"price_allowed"`
		ClaimAllowed bool                     `json:"claim_allowed"`
		Eligible     []string                 `json:"eligible"`
		Cases        []struct{ Allowed bool } `json:"cases"`
	}
	_ = json.Unmarshal(result, &v) // what it does not say, it does not allow
	switch action {
	case decide.ActionEscalate:
		return map[string]bool{"offer": v.Offer != "none" && v.Offer != ""}
	case decide.ActionPrice:
		return map[string]bool{"price": v.PriceAllowed, "claim": v.ClaimAllowed}
	case decide.ActionVariant:
		return map[string]bool{"content": len(v.Eligible) > 0}
	case decide.ActionExport:
		_ = json.Unmarshal(input, &v)
		out := map[string]bool{}
		for i, c := range v.Cases {
			out[fmt.Sprint(i)] = c.Allowed
		}
		return out
	}
	return map[string]bool{"allowed": v.Allowed}
}

// segmentsOf is what a record knows of whom it was about.
func segmentsOf(rec decide.Record) []string {
	var in struct {
		Class   string `json:"product_class"`
		Slot    string `json:"slot"`
		Segment string `json:"segment"`
		Channel string `json:"channel"`
		Quote   struct {
			Storefront string `json:"storefront"`
		} `json:"quote"`
	}
	var out struct {
		Segment string `json:"segment"`
	}
	_, _ = json.Unmarshal(rec.Input, &in), json.Unmarshal(rec.Result, &out) // what they do not say is not told
	said := []string{"action=" + rec.Action}
	for name, value := range map[string]string{
		"product_class": in.Class, "slot": in.Slot, "segment": in.Segment + out.Segment, "channel": in.Channel, "storefront": in.Quote.Storefront,
	} {
		if value != "" {
			said = append(said, name+"="+value)
		}
	}
	return said
}

func (c *priceChange) add(rec decide.Record, then flow.Replayed) {
	if rec.Action != decide.ActionPrice {
		return
	}
	var in struct {
		Quote struct {
			List  int64 `json:"list_cents"`
			Offer int64 `json:"offer_cents"`
		} `json:"quote"`
	}
	_ = json.Unmarshal(rec.Input, &in) // without a quote there is no price
	paid := func(result json.RawMessage) int64 {
		if granted(rec.Action, result, nil)["price"] {
			return in.Quote.Offer
		}
		return in.Quote.List
	}
	by := paid(then.Result) - paid(rec.Result)
	c.Cents += by
	if by > 0 {
		c.Higher++
	} else if by < 0 {
		c.Lower++
	}
}
