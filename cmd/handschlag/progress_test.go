package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestProgressLines(t *testing.T) {
	for _, c := range []struct {
		done, total int64
		took        time.Duration
		want        []string
	}{
		{0, 10, 0, []string{"days", "0 %"}},
		{5, 10, 10 * time.Second, []string{"50 %", "/s", "10s left"}},
		{10, 10, 20 * time.Second, []string{"100 %", "20s"}},
		{7, 0, 2 * time.Second, []string{"4/s"}},
	} {
		p := newProgress(&bytes.Buffer{})
		p.name = "days"
		line := p.line(c.done, c.total, c.took)
		for _, w := range c.want {
			if !strings.Contains(line, w) {
				t.Errorf("%d of %d after %s: want %q in %q", c.done, c.total, c.took, w, line)
			}
		}
	}
}

func TestProgressDoesNotFlood(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	for i := range int64(1000) {
		p.step("days", i, 1000)
	}
	p.step("days", 1000, 1000)
	if n := strings.Count(out.String(), "\n"); n < 2 || n > 20 {
		t.Errorf("want a few lines, got %d", n)
	}
}

func TestProgressSaysOnceThatAStepIsDone(t *testing.T) {
	var out bytes.Buffer
	p := newProgress(&out)
	for n := range int64(9) {
		p.step("files", n+1, n+1)
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("want one line, got %d:\n%s", n, out.String())
	}
}

func TestOneLineSaysNothingTwice(t *testing.T) {
	err := errors.New("block 1: mismatch\n<corruption detail carrier>\nblock 1: mismatch\n")
	if got := oneLine(err); got != "block 1: mismatch" {
		t.Errorf("got %q", got)
	}
}
