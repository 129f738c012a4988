package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/flow"
)

type exportCmd struct {
	Ls     exportLsCmd     `cmd:"" help:"List the nights' exports, newest first."`
	Pull   exportPullCmd   `cmd:"" help:"Fetch a night's export: goes on where it was stopped, and verifies what it has."`
	Verify exportVerifyCmd `cmd:"" help:"Hold an export to the signature of its manifest, offline."`
	Ack    exportAckCmd    `cmd:"" help:"Record that a recipient deleted what a night's file of revocations names."`
}

type exportLsCmd struct{ exportsAt }

// Run lists exports.
func (c exportLsCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out flow.ExportsAnswer
		if err := r.ask(ctx, "GET", "/v1/exports", nil, &out); err != nil {
			return err
		}
		for _, e := range out.Exports {
			listNight(s, e)
		}
		return nil
	})
}

// listNight prints a line about a night and one for each of its files.
func listNight(s streams, e flow.Export) {
	rows := "rows are not handed out any more"
	if e.Open {
		rows = "rows leave until " + e.Expires.Format(time.RFC3339)
	}
	s.printf("%s: consent read %s; %s\n", e.Date, e.Created.Format(time.RFC3339), rows)
	listed := map[string]flow.ExportFile{}
	for _, f := range e.Details {
		listed[f.Name] = f
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, name := range e.Files {
		f, loss := listed[name], ""
		if f.Loss != nil {
			loss = fmt.Sprintf("consent loss %d", *f.Loss)
		}
		switch {
		case f.Name == "":
			_, _ = fmt.Fprintf(w, "%s/%s\n", e.Date, name)
		default:
			_, _ = fmt.Fprintf(w, "%s/%s\t%s\t%s\t%d rows\t%d bytes\t%s\n", e.Date, name, f.Kind, cmp.Or(f.Channel, "-"), f.Rows, f.Bytes, loss)
		}
	}
	_ = w.Flush()
}

type exportVerifyCmd struct {
	place
	Night string `arg:"" name:"date|folder" help:"Date of a night of the data folder, or a folder that an export was pulled or copied to."`
	Key   string `help:"Public key of the manifests, from somewhere else than the folder; default: the file verifier beside the folder."`
}

// Run verifies one export; it needs no server and changes nothing.
func (c exportVerifyCmd) Run(s streams) error {
	dir, err := c.dir()
	if err != nil {
		return err
	}
	v, err := segment.Verify(dir, strings.TrimSpace(c.Key))
	if _, dated := time.Parse(time.DateOnly, c.Night); errors.Is(err, segment.ErrChanged) && dated != nil {
		err = fmt.Errorf("%w; run export pull again: it fetches what is changed or missing", err)
	}
	if err != nil {
		return fmt.Errorf("the export of %s does not verify: %w", c.Night, err)
	}
	s.exported(v)
	return nil
}

// dir is the folder that is meant: a date is one of the data folder.
func (c exportVerifyCmd) dir() (string, error) {
	if _, err := time.Parse(time.DateOnly, c.Night); err != nil {
		dir, err := filepath.Abs(c.Night)
		if err != nil {
			return "", fmt.Errorf("finding %s: %w", c.Night, err)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return "", fmt.Errorf("want a date like 2026-11-21 or the folder of an export, got %q", c.Night)
		}
		return dir, nil
	}
	if err := thereIs(c.Data); err != nil {
		return "", err
	}
	dir := filepath.Join(c.Data, "exports", c.Night)
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("there is no export of %s in %s", c.Night, c.Data)
	}
	return dir, nil
}

// exported says what an export is, once it was held to its signature.
func (s streams) exported(v segment.Verified) {
	m := v.Manifest
	s.printf("%s: %s as signed by %s\n", m.AsOf.Format(time.DateOnly), counted(v.Files, "file", "files"), v.Signer)
	if n := len(v.Gone); n > 0 {
		s.printf("%s not here, never fetched or gone since expired: %s\n", counted(n, "file of rows is", "files of rows are"), strings.Join(v.Gone, ", "))
	}
	if n := len(v.Inside); n > 0 {
		s.printf("%s not here, which is handed out to nobody: %s\n", counted(n, "file is", "files are"), strings.Join(v.Inside, ", "))
	}
	s.printf("ledger: %d leaves, root %s, read %s; rows leave until %s\n", m.Ledger.Size, m.Ledger.Root, m.Created.Format(time.RFC3339), m.Expires.Format(time.RFC3339))
}

type exportAckCmd struct {
	place
	Date    string `arg:"" help:"Date of the night whose file was worked off."`
	Channel string `arg:"" help:"Channel of the file, such as email."`
	By      string `help:"Who says so at the recipient."`
	SHA256  string `name:"sha256" help:"SHA-256 of the file, as its manifest says; without it, that of the file that lies there now."`
}

// Run records the recipient's word; the next night lists those rows no more.
func (c exportAckCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var out flow.ExportAckAnswer
		if err := r.ask(ctx, "POST", "/v1/exports/ack", flow.ExportAck{Date: c.Date, Channel: c.Channel, By: c.By, SHA256: c.SHA256}, &out); err != nil {
			return err
		}
		s.printf("acknowledged: %d rows of %s on %s, decision %s\n", out.Rows, c.Date, c.Channel, out.DecisionID)
		return nil
	})
}
