package main

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/snapshot"
)

// Every reason that a chain can break for has German words.
func TestBrokenChainsAreToldInGerman(t *testing.T) {
	never := func(string) bool { return false }
	record := func(n uint64, prev string) decide.Record {
		return decide.Record{ID: "id", Writer: "writer-1", N: n, Prev: prev, Action: decide.ActionPrice}
	}
	var whys []string
	for _, rs := range [][]decide.Record{
		{{ID: "gone", N: 1, Erased: "x"}}, {record(1, "ab")}, {record(1, ""), record(4, "")}, {record(5, "ab"), record(3, "")}, {record(5, "ab"), record(6, "cd")},
	} {
		var c decide.Chain
		for _, r := range rs {
			if b := c.Follow(r, never); b != nil {
				whys = append(whys, b.Why)
			}
		}
	}
	if len(whys) != 5 {
		t.Fatalf("%d breaks, want 5: %q", len(whys), whys)
	}
	whys = append(whys, "it is not the record that the ledger sealed on 2026-03-01T10:00:00Z", "the log ends here, but record 7 was written",
		"the last record is not the one that was written", "the log begins here, but retention let go of record 7 and before only")
	for _, why := range whys {
		if de := breakWhy(why, "de"); de == why || strings.Contains(de, "record") || breakWhy(why, "en") != why {
			t.Errorf("%q is %q", why, de)
		}
	}
	var out bytes.Buffer
	err := streams{out: &out, err: io.Discard}.chain(snapshot.ChainReport{Broken: 1, Breaks: []*decide.Break{{N: 3, ID: "x", Why: "a chain cannot begin so"}}}, "de")
	if err == nil || !strings.Contains(out.String(), "  Protokoll 3 (Entscheidung x): so kann eine Kette nicht beginnen") {
		t.Errorf("%v\n%s", err, &out)
	}
}

// An old folder read by the wall clock says that it seems a demo, and what a night does.
func TestRetentionOfAnOldFolderSaysWhy(t *testing.T) {
	setClock(t, "2019-05-01T10:00:00Z")
	p, _ := onePrice(t)
	say := func(lang string) string {
		var out bytes.Buffer
		if err := (auditRetentionCmd{place: p, Lang: lang, Format: "text"}).Run(context.Background(), streams{out: &out, err: io.Discard}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	if said := say("en"); strings.Contains(said, "demo of that day") || strings.Contains(said, "\noverdue") {
		t.Error(said)
	}
	t.Setenv("HANDSCHLAG_CLOCK", "")
	for lang, want := range map[string][]string{
		"en": {"overdue: a night as of today lets go of it: handschlag nightly --data " + p.Data + " --as-of " + time.Now().UTC().Format(time.DateOnly), "of 2019-05-01 and HANDSCHLAG_CLOCK is not set: this folder seems to be a demo"},
		"de": {"überfällig: eine Nacht mit heutigem Stand", "ist vom 2019-05-01, und HANDSCHLAG_CLOCK ist nicht gesetzt"},
	} {
		for _, w := range want {
			if said := say(lang); !strings.Contains(said, w) {
				t.Errorf("want %q in\n%s", w, said)
			}
		}
	}
}
