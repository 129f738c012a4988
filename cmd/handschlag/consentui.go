package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/config"
)

type auditConsentUICmd struct {
	place
	Version string `arg:"" optional:"" help:"One version; default: every one."`
	JSON    bool   `help:"Print as JSON."`
}

// patterns are the six kinds of deceptive patterns of EDPB 03/2022.
var patterns = []string{"overloading", "skipping", "stirring", "obstructing", "fickle", "left_in_the_dark"}

// control is the dossier of one version of a banner or preference centre (A12 of
// law.md 3.2).
type control struct {
	Version     string            `json:"version"`
	Component   string            `json:"component"`
	Default     string            `json:"default_state"`
	Layer       int               `json:"layer"`
	RejectEqual bool              `json:"reject_equal"`
	RejectFirst bool              `json:"reject_first_layer"`
	Clicks      map[string]int    `json:"clicks"`
	Screenshot  string            `json:"screenshot_sha256"`
	Patterns    map[string]string `json:"patterns"` // of each kind: found | not found | not reviewed
	ReviewedBy  string            `json:"reviewed_by"`
	ReviewedAt  string            `json:"reviewed_at"`
	Note        string            `json:"note,omitempty"`
	Invalidated string            `json:"invalidated_from,omitempty"`
	Choices     answers           `json:"choices"`
	Usable      bool              `json:"usable"` // consents of it count today (CON-06)
}

// Run prints the dossier of the consent controls.
func (c auditConsentUICmd) Run(ctx context.Context, s streams) error {
	return askPapers(ctx, c.place, s, func(p papers) error {
		var list []control
		for _, u := range p.cfg.UI {
			if c.Version == "" || u.Version == c.Version {
				list = append(list, p.control(u))
			}
		}
		if len(list) == 0 {
			return fmt.Errorf("there is no control %q in the configuration", c.Version)
		}
		if c.JSON {
			return printJSON(s, list)
		}
		for _, x := range list {
			s.control(x)
		}
		return nil
	})
}

func (p papers) control(u config.UI) control {
	x := control{
		Version: u.Version, Component: u.Component, Default: u.Default, Layer: u.Layer, RejectEqual: u.RejectEqual, RejectFirst: u.RejectFirst,
		Clicks: map[string]int{"accept": u.AcceptClicks, "reject": u.RejectClicks, "withdraw": u.WithdrawClicks}, Screenshot: u.ScreenshotHash,
		Patterns: map[string]string{}, ReviewedBy: u.Review.By, ReviewedAt: u.Review.At, Note: u.Review.Note, Invalidated: u.InvalidatedFrom,
	}
	for _, kind := range patterns {
		switch {
		case slices.Contains(u.Review.Patterns, kind):
			x.Patterns[kind] = "found"
		case u.Review.At == "":
			x.Patterns[kind] = "not reviewed"
		default:
			x.Patterns[kind] = "not found"
		}
	}
	if a := p.Controls[u.Version]; a != nil {
		x.Choices = *a
	}
	from, invalid := u.InvalidFrom()
	x.Usable = u.RejectEqual && u.RejectFirst && u.Equal && u.Default == "off" && !(invalid && !p.Now.Before(from))
	return x
}

func (s streams) control(x control) {
	s.printf("%s (%s, layer %d)\n  preset: %s; refusing stands out as much: %t, on the first layer: %t\n  clicks: accept %d, reject %d, withdraw %d (0: not counted)\n",
		x.Version, x.Component, x.Layer, x.Default, x.RejectEqual, x.RejectFirst, x.Clicks["accept"], x.Clicks["reject"], x.Clicks["withdraw"])
	s.printf("  picture: %s\n  review: %s, %s: %s\n", joinOr(nonEmpty(x.Screenshot), "none"), x.ReviewedBy, x.ReviewedAt, x.Note)
	words := make([]string, len(patterns))
	for i, kind := range patterns {
		words[i] = kind + " " + x.Patterns[kind]
	}
	s.printf("  deceptive patterns (EDPB 03/2022): %s\n", strings.Join(words, ", "))
	c := x.Choices
	s.printf("  choices: %d records: all yes %d (%s), some %d (%s), all no %d (%s)\n", c.Records, c.AllYes, portion(c.AllYes, c.Records), c.Some, portion(c.Some, c.Records), c.AllNo, portion(c.AllNo, c.Records))
	if x.Invalidated != "" {
		s.printf("  invalidated from %s\n", x.Invalidated)
	}
	s.printf("  its consents count today: %t\n", x.Usable)
}

func portion(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
