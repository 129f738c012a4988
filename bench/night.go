package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// benchNight runs the benchmark of batch/segment, where DuckDB may be linked, and
// reads what it reports.
func benchNight(ctx context.Context, o options, t *table) error {
	c := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkNight$", "-benchtime", "1x", "./batch/segment")
	c.Env = append(os.Environ(), "HANDSCHLAG_NIGHT_EVENTS="+strconv.Itoa(o.events), "TMPDIR="+o.root)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("running BenchmarkNight: %w\n%s", err, out)
	}
	m := metrics(string(out))
	night, bare := m["night-cpu-s"], m["bare-cpu-s"]
	if night == 0 || bare == 0 {
		return fmt.Errorf("BenchmarkNight reports no figures:\n%s", out)
	}
	t.row(fmt.Sprintf("night over %d events (%.0f s, %.0f MB)", o.events, m["night-s"], m["peak-MB"]),
		fmt.Sprintf("%.1f CPU-s", night), fmt.Sprintf("bare SQL %.1f", bare), night/bare, []float64{night / bare}, 0)
	return nil
}

// metrics reads "value unit" pairs of a benchmark's line.
func metrics(out string) map[string]float64 {
	m := map[string]float64{}
	for line := range strings.Lines(out) {
		if words := strings.Fields(line); strings.HasPrefix(line, "Benchmark") {
			for i := 2; i+1 < len(words); i += 2 {
				if v, err := strconv.ParseFloat(words[i], 64); err == nil {
					m[words[i+1]] = v
				}
			}
		}
	}
	return m
}
