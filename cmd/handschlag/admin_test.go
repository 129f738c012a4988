package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newShop(t *testing.T) *shop {
	t.Helper()
	sh, err := openShop(context.Background(), place{Data: filepath.Join(t.TempDir(), "data")}, slog.New(slog.DiscardHandler))
	ok(t, err)
	t.Cleanup(func() { ok(t, sh.Close()) })
	return sh
}

// asked posts values, a line each, to the admin socket's handler.
func asked(t *testing.T, sh *shop, path string, into any, values ...any) {
	t.Helper()
	var body bytes.Buffer
	for _, v := range values {
		ok(t, json.NewEncoder(&body).Encode(v))
	}
	w := httptest.NewRecorder()
	sh.adminHandler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, &body))
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	ok(t, json.Unmarshal(w.Body.Bytes(), into))
}

// TestANightThatDiedBeforeItPublishedLeavesOneRecordEach runs it again: the same
// decisions come with the same ids.
func TestANightThatDiedBeforeItPublishedLeavesOneRecordEach(t *testing.T) {
	sh := newShop(t)
	record := func(id string) any {
		return decide.Record{ID: id, Time: time.Unix(0, 0).UTC(), Action: decide.ActionExport, Input: []byte("{}"), Result: []byte("{}")}
	}
	for _, run := range []struct {
		records []any
		stored  int
	}{
		{[]any{record("a"), record("b")}, 2},
		{[]any{record("a"), record("b"), record("c")}, 1},
	} {
		var got struct{ Stored int }
		if asked(t, sh, "/admin/decisions", &got, run.records...); got.Stored != run.stored {
			t.Errorf("stored %d of %d records, want %d", got.Stored, len(run.records), run.stored)
		}
	}
	all, err := sh.host.ReadDecisions(context.Background())
	ok(t, err)
	if len(all) != 3 {
		t.Errorf("%d records, want 3", len(all))
	}
}

func TestReadingConsentAgainReadsTheExportsSwitchToo(t *testing.T) {
	sh := newShop(t)
	for _, off := range []bool{false, true} {
		ok(t, sh.host.PutSwitch(context.Background(), flow.Switch{Name: flow.SwitchExports, On: !off}))
		var got standingsAnswer
		if asked(t, sh, "/admin/standings", &got, nightCall{Dir: t.TempDir()}); got.ExportsOff != off {
			t.Errorf("exports off: %v, want %v", got.ExportsOff, off)
		}
	}
}
