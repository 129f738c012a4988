package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/flow"
)

type exportCmd struct {
	Ls     exportLsCmd     `cmd:"" help:"List the nights' exports, newest first."`
	Verify exportVerifyCmd `cmd:"" help:"Hold an export to the signature of its manifest, offline."`
	Ack    exportAckCmd    `cmd:"" help:"Record that a recipient deleted what a night's file of revocations names."`
}

type exportLsCmd struct{ place }

// Run lists exports.
func (c exportLsCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out flow.ExportsAnswer
		if err := r.ask(ctx, "GET", "/v1/exports", nil, &out); err != nil {
			return err
		}
		for _, e := range out.Exports {
			for _, f := range e.Files {
				s.printf("%s/%s\n", e.Date, f)
			}
		}
		return nil
	})
}

type exportVerifyCmd struct {
	place
	Date string `arg:"" help:"Date of the night."`
	Key  string `help:"Public key of the manifests, from somewhere else than the folder; default: the file verifier in the exports folder."`
}

// Run verifies one export; it needs no server and changes nothing.
func (c exportVerifyCmd) Run(s streams) error {
	if err := thereIs(c.Data); err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, c.Date); err != nil {
		return fmt.Errorf("DATE: want a date like 2026-11-21, got %q", c.Date)
	}
	dir := filepath.Join(c.Data, "exports", c.Date)
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("there is no export of %s in %s", c.Date, c.Data)
	}
	v, err := segment.Verify(dir, strings.TrimSpace(c.Key))
	if err != nil {
		return fmt.Errorf("the export of %s does not verify: %w", c.Date, err)
	}
	m := v.Manifest
	s.printf("%s: %d files as signed by %s\n", c.Date, v.Files, v.Signer)
	if v.Gone > 0 {
		s.printf("%d files of rows are gone: they had expired\n", v.Gone)
	}
	s.printf("ledger: %d leaves, root %s, read %s; rows leave until %s\n", m.Ledger.Size, m.Ledger.Root, m.Created.Format(time.RFC3339), m.Expires.Format(time.RFC3339))
	return nil
}

type exportAckCmd struct {
	place
	Date    string `arg:"" help:"Date of the night whose file was worked off."`
	Channel string `arg:"" help:"Channel of the file, such as email."`
	By      string `help:"Who says so at the recipient."`
}

// Run records the recipient's word; the next night lists those rows no more.
func (c exportAckCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out flow.ExportAckAnswer
		if err := r.ask(ctx, "POST", "/v1/exports/ack", flow.ExportAck{Date: c.Date, Channel: c.Channel, By: c.By}, &out); err != nil {
			return err
		}
		s.printf("acknowledged: %d rows of %s on %s, decision %s\n", out.Rows, c.Date, c.Channel, out.DecisionID)
		return nil
	})
}
