package bench

import (
	"context"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
)

// Model is what one table of a night, or the rest of a step, cost.
type Model struct {
	Name   string  `json:"name"`
	Step   bool    `json:"step,omitempty"` // what a step did beside its tables
	Rows   int64   `json:"rows"`
	CPU    float64 `json:"cpu_seconds"` // of the whole process
	PeakMB float64 `json:"peak_mb"`     // highest resident set meanwhile; of the process so far where the system cannot tell
}

// Cost is what a night cost its process.
type Cost struct {
	Models  []Model `json:"models"`
	CPU     float64 `json:"cpu_seconds"`
	Seconds float64 `json:"seconds"`
	PeakMB  float64 `json:"peak_mb"`
	Persons int64   `json:"persons"` // with features
	Members int64   `json:"members"`

	Learnt []Learnt `json:"learnt,omitempty"`
}

// Night runs one night and measures it. Measure one night a process: memory that
// an earlier one left behind counts otherwise.
func Night(ctx context.Context, in segment.Inputs) (Cost, error) {
	var c Cost
	began, begun := time.Now(), cpu()
	last, days, decided := begun, false, int64(0)
	in.Made = func(name string, rows int64) {
		now := cpu()
		days = days || name == "daily"
		if name == "changed" && days { // since the snapshot
			decided = rows
		}
		c.Models = append(c.Models, Model{Name: name, Step: rows < 0, Rows: max(0, rows), CPU: now - last, PeakMB: peak()})
		forget()
		last = cpu()
	}
	res, err := segment.Run(ctx, in)
	if err != nil {
		return c, err
	}
	c.CPU, c.Seconds = cpu()-begun, time.Since(began).Seconds()
	for _, m := range c.Models {
		c.PeakMB = max(c.PeakMB, m.PeakMB)
	}
	c.PeakMB = max(c.PeakMB, peak())
	c.Learnt = learnt(res.Report, decided)
	c.Members = int64(res.Members.Len())
	if res.Report.Persons != nil {
		c.Persons = *res.Report.Persons
	}
	return c, nil
}

// cpu is the user and system time of this process, in seconds.
func cpu() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// peak is the highest resident set since forget, in MB, where /proc tells it.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, found := strings.CutPrefix(line, "VmHWM:"); found {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// forget lets the highest resident set begin anew.
func forget() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// CPU is the user and system time of this process so far, in seconds.
func CPU() float64 { return cpu() }

// Bare measures plain SQL over the same files (segment.Bare).
func Bare(ctx context.Context, in segment.Inputs) (Cost, error) {
	return clocked(func() (err error) { _, err = segment.Bare(ctx, in); return err })
}

// Floor measures one pass over the same files (segment.Floor).
func Floor(ctx context.Context, in segment.Inputs) (Cost, error) {
	return clocked(func() error { return segment.Floor(ctx, in) })
}

func clocked(do func() error) (Cost, error) {
	began, begun := time.Now(), cpu()
	err := do()
	return Cost{CPU: cpu() - begun, Seconds: time.Since(began).Seconds(), PeakMB: peak()}, err
}

// ByName sums models of one name, in the order in which they came first.
func (c Cost) ByName() (out []Model) {
	place := map[string]int{}
	for _, m := range c.Models {
		if m.Step {
			m.Name = "(" + m.Name + ")"
		}
		i, known := place[m.Name]
		if !known {
			place[m.Name] = len(out)
			out = append(out, m)
			continue
		}
		o := &out[i]
		o.Rows, o.CPU, o.PeakMB = o.Rows+m.Rows, o.CPU+m.CPU, max(o.PeakMB, m.PeakMB)
		if m.Name != "daily" {
			o.Rows = max(o.Rows-m.Rows, m.Rows) // made twice, not twice as many
		}
	}
	return out
}

// Of is the CPU time of a model.
func (c Cost) Of(name string) (sum float64) {
	for _, m := range c.Models {
		if m.Name == name {
			sum += m.CPU
		}
	}
	return sum
}
