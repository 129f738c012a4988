package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"

	"github.com/handschlag/handschlag/batch/bench"
)

// tell prints what was found.
func (r *benchRun) tell() error {
	if r.c.JSON {
		e := json.NewEncoder(r.s.out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	made := "was there already"
	if r.Made > 0 {
		made = fmt.Sprintf("generated in %.1f CPU-s", r.Made)
	}
	r.s.printf("%d events, %s; %d threads, DuckDB's memory limited to %d MB\n\n", r.Events, made, r.c.Threads, r.c.MemoryMB)
	if err := r.models(); err != nil {
		return err
	}
	if err := r.learnt(); err != nil {
		return err
	}
	t := tabwriter.NewWriter(r.s.out, 0, 8, 2, ' ', 0)
	f := r.Full
	row := func(name, ours, beside, ratio string) {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", name, ours, beside, ratio)
	}
	row("\nfigure", "ours", "beside it", "ratio")
	row("full build", fmt.Sprintf("%.1f CPU-s, %.0f s, %.0f MB", f.CPU, f.Seconds, f.PeakMB), fmt.Sprintf("one pass, nothing kept: %.1f CPU-s", r.Floor.CPU), times(f.CPU, r.Floor.CPU))
	if r.BareSQL != nil {
		row("", "", fmt.Sprintf("plain SQL: %.1f CPU-s, %.0f MB", r.BareSQL.CPU, r.BareSQL.PeakMB), times(f.CPU, r.BareSQL.CPU))
	}
	row("one day more", fmt.Sprintf("%.1f CPU-s, %.0f MB", r.Next.CPU, r.Next.PeakMB), fmt.Sprintf("rescan %.1f CPU-s", f.CPU), times(f.CPU, r.Next.CPU)+" cheaper")
	row("  its days alone", fmt.Sprintf("%.1f CPU-s", r.Next.Of("daily")), fmt.Sprintf("rescan %.1f CPU-s", f.Of("daily")), times(f.Of("daily"), r.Next.Of("daily"))+" cheaper")
	row("  daily rows that differ", fmt.Sprint(r.Left+r.Right), "EXCEPT ALL, both ways", "")
	if r.SameBits != nil {
		row("1 and 4 threads", map[bool]string{true: "same bytes", false: "DIFFERENT BYTES"}[*r.SameBits], "", "")
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Left+r.Right > 0 {
		return fmt.Errorf("the increment is not the rescan: %d rows only there, %d only here", r.Left, r.Right)
	}
	if r.SameBits != nil && !*r.SameBits {
		return fmt.Errorf("1 and 4 threads give different bytes: see %s", r.dir)
	}
	return nil
}

func times(a, b float64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f×", a/b)
}

// models prints the full build and the increment, table by table.
func (r *benchRun) models() error {
	t := tabwriter.NewWriter(r.s.out, 0, 8, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(t, "model\trows\tCPU-s\tpeak MB\tone day more: CPU-s\t\n")
	next := map[string]bench.Model{}
	for _, m := range r.Next.ByName() {
		next[m.Name] = m
	}
	for _, m := range r.Full.ByName() {
		rows := ""
		if !m.Step {
			rows = fmt.Sprint(m.Rows)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%.2f\t%.0f\t%.2f\t\n", m.Name, rows, m.CPU, m.PeakMB, next[m.Name].CPU)
	}
	return t.Flush()
}

// learnt prints what the full build's models were made from.
func (r *benchRun) learnt() error {
	t := tabwriter.NewWriter(r.s.out, 0, 8, 2, ' ', 0)
	_, _ = fmt.Fprint(t, "\nlearnt\tfrom\t\tsays\n")
	for _, l := range r.Full.Learnt {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.Name, l.From(), l.Of, l.What)
	}
	return t.Flush()
}
