package flow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/hosttest"
)

// nightsAt makes a folder of published nights, each created at the time given.
func nightsAt(t *testing.T, created map[string]time.Time) string {
	t.Helper()
	dir := t.TempDir()
	for date, at := range created {
		ok(t, os.MkdirAll(filepath.Join(dir, date), 0o755))
		for name, body := range map[string]string{
			"manifest.json": fmt.Sprintf(`{"expires_at":%q,"files":[{"name":"loyal.email.csv","kind":"segment"},{"name":"revocations.email.csv","kind":"revocations","channel":"email","rows":3,"sha256":"5ec0"},
				{"name":"report.json","kind":"report"},{"name":"lineage.json","kind":"lineage"},
				{"name":"aggregates.csv","kind":"aggregates","label":"anonymous"},{"name":"small.csv","kind":"aggregates","label":"pseudonymous"},{"name":"deliveries.parquet","kind":"deliveries"}]}`, at.Add(48*time.Hour).Format(time.RFC3339)),
			"manifest.json.sig": "signed", "loyal.email.csv": "key\n1\n", "revocations.email.csv": "key\n", "report.json": "{}", "lineage.json": "{}", "aggregates.csv": "segment\n", "small.csv": "segment\n", "deliveries.parquet": "all",
		} {
			ok(t, os.WriteFile(filepath.Join(dir, date, name), []byte(body), 0o644))
		}
	}
	return dir
}

// fetched says with which status a file comes, 200 if it does.
func fetched(t *testing.T, s *shop, date, file string) int {
	t.Helper()
	body, err := s.ExportFile(ctx, date, file, market)
	if err == nil {
		ok(t, body.Close())
		return 200
	}
	return err.(*flow.Fault).Status
}

func TestEXP06AllowAFreshFile(t *testing.T) {
	s := newShop(t)
	dir := nightsAt(t, map[string]time.Time{"2026-11-16": s.now.Add(-47 * time.Hour)})
	s = newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	for _, file := range []string{"manifest.json", "manifest.json.sig", "loyal.email.csv", "revocations.email.csv", "report.json"} {
		want(t, fetched(t, s, "2026-11-16", file), 200)
	}
	want(t, fetched(t, s, "2026-11-16", "deliveries.parquet"), 404)
	list, err := s.Exports(ctx, market)
	ok(t, err)
	want(t, list.Exports[0].Open, true)
	want(t, strings.Contains(strings.Join(list.Exports[0].Files, " "), "deliveries"), false)
}

// EXP-06: sending Monday's file on Thursday; and Monday's once Tuesday's is there.
func TestEXP06DenyMondaysFileOnThursday(t *testing.T) {
	at := newShop(t).now
	dir := nightsAt(t, map[string]time.Time{"2026-11-16": at.Add(-49 * time.Hour), "2026-11-15": at.Add(-50 * time.Hour)})
	s := newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	for file, status := range map[string]int{"loyal.email.csv": 410, "revocations.email.csv": 410, "manifest.json": 200, "report.json": 200, "lineage.json": 200, "aggregates.csv": 200, "small.csv": 410} {
		want(t, fetched(t, s, "2026-11-16", file), status)
	}
	_, err := s.ExportFile(ctx, "2026-11-16", "loyal.email.csv", market)
	faulted(t, err, 410, "EXP-06: this file expired")

	dir = nightsAt(t, map[string]time.Time{"2026-11-16": at.Add(-20 * time.Hour), "2026-11-17": at})
	s = newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	_, err = s.ExportFile(ctx, "2026-11-16", "loyal.email.csv", market)
	faulted(t, err, 410, "EXP-06: the night of 2026-11-17")
	list, err := s.Exports(ctx, market)
	ok(t, err)
	want(t, len(list.Exports), 2)
	want(t, list.Exports[1].Open, false)
}

func TestEXP06AllowAnAcknowledgement(t *testing.T) {
	s := newShop(t)
	dir := nightsAt(t, map[string]time.Time{"2026-11-16": s.now})
	s = newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	a, err := s.AckExport(ctx, flow.ExportAck{Date: "2026-11-16", Channel: "email", By: "mail provider"}, market)
	ok(t, err)
	want(t, a.Rows, int64(3))
	d := s.decisions(decide.ActionExport)[0]
	want(t, d.ID, a.DecisionID)
	want(t, strings.Contains(string(d.Input), `"ack":{"by":"mail provider","channel":"email","date":"2026-11-16"}`), true)
	for _, x := range []flow.ExportAck{{Date: "2026-11-16", Channel: "ads"}, {Date: "2026-11-15", Channel: "email"}, {Date: "..", Channel: "email"}} {
		_, err := s.AckExport(ctx, x, market)
		faulted(t, err, 404, "date or channel")
	}
	_, err = s.AckExport(ctx, flow.ExportAck{Date: "2026-11-16", Channel: "email"}, flow.Caller{})
	faulted(t, err, 403, "")
}

// A recipient who followed the file of an earlier run of the date is told to fetch the other.
func TestEXP06DenyAWordForAFileThatWasReplaced(t *testing.T) {
	s := newShop(t)
	dir := nightsAt(t, map[string]time.Time{"2026-11-16": s.now})
	s = newShopOn(t, hosttest.NewMemory(hosttest.WithExports(dir)))
	_, err := s.AckExport(ctx, flow.ExportAck{Date: "2026-11-16", Channel: "email", SHA256: "f125"}, market)
	faulted(t, err, 409, "sha256: the night of 2026-11-16 was run again")
	want(t, len(s.decisions(decide.ActionExport)), 0)
	_, err = s.AckExport(ctx, flow.ExportAck{Date: "2026-11-16", Channel: "email", SHA256: "5ec0"}, market)
	ok(t, err)
	want(t, strings.Contains(string(s.decisions(decide.ActionExport)[0].Result), `"sha256":"5ec0"`), true)
}
