package main

import (
	"io"
	"testing"

	"github.com/handschlag/handschlag/batch/eval"
)

func TestFailCountsMissedTargetsAlone(t *testing.T) {
	missed, shown := eval.AtLeast("g", "x", 1, 0, 1), eval.Show("g", "x", 1, 1)
	for want, rows := range map[string][]eval.Row{"": {shown}, "1 target is missed": {missed, shown}, "2 targets are missed": {missed, missed}} {
		err, got := (judged{Fail: true}).tell(streams{out: io.Discard, err: io.Discard}, rows), ""
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%d rows: got %q, want %q", len(rows), got, want)
		}
	}
}
