package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress says how far a long step is: one line that moves on a terminal, plain
// lines elsewhere, never more than one in a while.
type progress struct {
	out      io.Writer
	terminal bool
	patient  bool // says nothing of steps that take less than a second
	name     string
	began    time.Time
	told     time.Time
	open     bool   // a moving line is not ended yet
	last     string // the step that was said to be finished
}

func newProgress(out io.Writer) *progress {
	p := &progress{out: out}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

// step reports done of total (0: not known) of a named step.
func (p *progress) step(name string, done, total int64) {
	now := time.Now()
	if name != p.name {
		p.end()
		p.name, p.began, p.told = name, now, time.Time{}
		if p.patient {
			p.told = now
		}
	}
	finished := total > 0 && done >= total
	if finished && name == p.last { // a step may find more to do; that it is done is said once
		return
	}
	every := 2 * time.Second
	if p.terminal {
		every = 200 * time.Millisecond
	}
	if quick := p.patient && now.Sub(p.began) < time.Second; quick || !finished && now.Sub(p.told) < every {
		return
	}
	p.told = now
	p.say(p.line(done, total, now.Sub(p.began)))
	if finished {
		p.end()
		p.name, p.last = "", name
	}
}

// line says share, rate and time left, as far as they are known.
func (p *progress) line(done, total int64, took time.Duration) string {
	out := fmt.Sprintf("%-12s", p.name)
	if total > 0 {
		out += fmt.Sprintf(" %3d %%", 100*done/total)
	}
	if s := took.Seconds(); s >= 1 && done > 0 {
		switch rate := float64(done) / s; {
		case total == 1: // one thing has no rate
		case rate < 1:
			out += fmt.Sprintf("  %.1f/s", rate)
		default:
			out += fmt.Sprintf("  %.0f/s", rate)
		}
		if total > done {
			left := time.Duration(float64(took) / float64(done) * float64(total-done))
			out += fmt.Sprintf("  %s left", left.Round(time.Second))
		}
	}
	return out + fmt.Sprintf("  %s", took.Round(100*time.Millisecond))
}

func (p *progress) say(line string) {
	if p.terminal {
		_, _ = fmt.Fprintf(p.out, "\r\x1b[K%s", line)
		p.open = true
		return
	}
	_, _ = fmt.Fprintln(p.out, line)
}

// end closes a moving line.
func (p *progress) end() {
	if p.open {
		_, _ = fmt.Fprintln(p.out)
		p.open = false
	}
}

// warn says what is odd and stops nothing, on a line of its own.
func (p *progress) warn(text string) {
	p.end()
	_, _ = fmt.Fprintln(p.out, "warning: "+text)
}
