package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/flow"
)

type consentCmd struct {
	Show     consentShowCmd   `cmd:"" help:"Where a subject stands, and its history."`
	Grant    consentGrantCmd  `cmd:"" help:"Record a yes."`
	Refuse   consentRefuseCmd `cmd:"" help:"Record a no."`
	Withdraw consentRefuseCmd `cmd:"" help:"Take a yes back; the same as refuse."`
	Proof    consentProofCmd  `cmd:"" help:"Print what proves consents: records, notices as shown, ledger proofs, and what was decided on them."`
}

// whom names a subject.
type whom struct {
	place
	ID      string `arg:"" help:"anonymousId of the device; - reads it from standard input."`
	Account bool   `help:"The id is a userId."`
}

// ids gives the id as the call's two fields.
func (w whom) ids(s streams) (anonymous, user string, err error) {
	id := w.ID
	if id == "-" {
		line, err := bufio.NewReader(s.in).ReadString('\n')
		if id = strings.TrimRight(line, "\r\n"); id == "" {
			return "", "", fmt.Errorf("reading the id from standard input: %w", err)
		}
	}
	if w.Account {
		return "", id, nil
	}
	return id, "", nil
}

type consentShowCmd struct {
	whom
	AsOf *time.Time `help:"A moment that has passed, RFC 3339: where the subject stood then."`
}

// Run prints state and history.
func (c consentShowCmd) Run(ctx context.Context, s streams) error {
	anonymous, user, err := c.ids(s)
	if err != nil {
		return err
	}
	return c.within(ctx, s, func(r *reached) error {
		var out flow.StateAnswer
		if err := r.call(ctx, "POST", "/v1/consent/state", flow.StateCall{AnonymousID: anonymous, UserID: user, AsOf: c.AsOf}, &out); err != nil {
			return err
		}
		if out.Version == 0 {
			s.printf("no consent record\n")
			return nil
		}
		s.standings(out.Purposes)
		for _, h := range out.History {
			s.printf("record %d %s %s by %s, notice %s\n", h.Version, h.RecordID, h.Time.Format(time.RFC3339), h.Method, h.Notice.Version)
		}
		return nil
	})
}

func (s streams) standings(purposes map[consent.Purpose]flow.PurposeStanding) {
	for _, p := range slices.Sorted(maps.Keys(purposes)) {
		st := purposes[p]
		line := fmt.Sprintf("%s: %s", p, st.Status)
		if st.Until != nil {
			line += " until " + st.Until.Format(time.RFC3339)
		}
		if len(st.Rules) > 0 {
			line += " (" + strings.Join(st.Rules, ", ") + ")"
		}
		s.printf("%s\n", line)
	}
}

// choice is a consent act of the command line.
type choice struct {
	whom
	Purposes []consent.Purpose `arg:"" help:"Purpose keys, like analytics."`
	Notice   string            `default:"1" help:"Version of the notice that was shown."`
	Language string            `default:"de" help:"Language it was shown in."`
	UI       string            `default:"banner-1" name:"ui" help:"Version of the control that was used."`
}

type consentGrantCmd struct{ choice }

// Run records a yes for the purposes.
func (c consentGrantCmd) Run(ctx context.Context, s streams) error { return c.record(ctx, s, true) }

type consentRefuseCmd struct{ choice }

// Run records a no for the purposes.
func (c consentRefuseCmd) Run(ctx context.Context, s streams) error { return c.record(ctx, s, false) }

func (c choice) record(ctx context.Context, s streams, yes bool) error {
	anonymous, user, err := c.ids(s)
	if err != nil {
		return err
	}
	call := flow.ConsentCall{
		AnonymousID: anonymous, UserID: user, PurposesShown: c.Purposes, Method: "save", Purposes: map[consent.Purpose]bool{},
		Notice: flow.NoticeRef{Version: c.Notice, Language: c.Language}, UI: flow.UIRef{Version: c.UI},
	}
	for _, p := range c.Purposes {
		call.Purposes[p] = yes
	}
	return c.with(ctx, s, func(r *reached) error {
		var out flow.ConsentAnswer
		if err := r.call(ctx, "POST", "/v1/consent", call, &out); err != nil {
			return err
		}
		s.printf("record %d %s\n", out.Version, out.RecordID)
		s.standings(out.Purposes)
		return nil
	})
}
