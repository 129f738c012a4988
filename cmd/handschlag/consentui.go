package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/config"
)

type auditConsentUICmd struct {
	place
	Version string `arg:"" optional:"" help:"One version; default: every one."`
	Lang    string `enum:"de,en" default:"en" help:"Language: de or en."`
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
			s.control(x, c.Lang)
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

// controlWords are the lines of a dossier.
var controlWords = map[string][]string{
	"en": {
		"%s (%s, layer %d)\n  preset: %s; refusing stands out as much: %s, on the first layer: %s\n", "  clicks: accept %s, reject %s, withdraw %s\n", "not counted",
		"  picture: %s\n  review: %s, %s: %s\n", "  deceptive patterns (EDPB 03/2022): %s\n", "  choices: %d records: all yes %d (%s), some %d (%s), all no %d (%s)\n",
		"  invalidated from %s\n", "  its consents count today: %s\n", "yes", "no",
	},
	"de": {
		"%s (%s, Ebene %d)\n  Voreinstellung: %s; Ablehnen gleich auffällig: %s, auf der ersten Ebene: %s\n", "  Klicks: zustimmen %s, ablehnen %s, widerrufen %s\n", "nicht gezählt",
		"  Bild: %s\n  Prüfung: %s, %s: %s\n", "  irreführende Muster (EDSA 03/2022): %s\n", "  Entscheidungen: %d Datensätze: alles Ja %d (%s), teils %d (%s), alles Nein %d (%s)\n",
		"  ungültig ab %s\n", "  ihre Einwilligungen gelten heute: %s\n", "ja", "nein",
	},
}

func (s streams) control(x control, lang string) {
	w := controlWords[lang]
	truth := func(is bool) string {
		if is {
			return w[8]
		}
		return w[9]
	}
	clicks := func(name string) string {
		if n := x.Clicks[name]; n > 0 {
			return strconv.Itoa(n)
		}
		return w[2]
	}
	s.printf(w[0], x.Version, inWords(x.Component, lang), x.Layer, inWords(x.Default, lang), truth(x.RejectEqual), truth(x.RejectFirst))
	s.printf(w[1], clicks("accept"), clicks("reject"), clicks("withdraw"))
	s.printf(w[3], joinOr(nonEmpty(x.Screenshot), "–"), x.ReviewedBy, x.ReviewedAt, x.Note)
	words := make([]string, len(patterns))
	for i, kind := range patterns {
		words[i] = inWords(kind, lang) + " " + inWords(x.Patterns[kind], lang)
	}
	s.printf(w[4], strings.Join(words, ", "))
	c := x.Choices
	s.printf(w[5], c.Records, c.AllYes, portion(c.AllYes, c.Records), c.Some, portion(c.Some, c.Records), c.AllNo, portion(c.AllNo, c.Records))
	if x.Invalidated != "" {
		s.printf(w[6], x.Invalidated)
	}
	s.printf(w[7], truth(x.Usable))
}

func portion(n, of int) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}
