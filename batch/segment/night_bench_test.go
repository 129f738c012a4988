package segment

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// BenchmarkNight runs a first night over generated events (HANDSCHLAG_NIGHT_EVENTS,
// 20 for each subject, over 5 ingest days) and, beside it, the bare SQL: the same
// aggregation without cases, consent, checks, segments and exports. CPU seconds
// are the process's own, so that a busy machine does not change them much.
func BenchmarkNight(b *testing.B) {
	events := 100_000
	if v := os.Getenv("HANDSCHLAG_NIGHT_EVENTS"); v != "" {
		var err error
		if events, err = strconv.Atoi(v); err != nil {
			b.Fatal(err)
		}
	}
	s := newShop(b)
	snapshot := s.generated(events / 20)
	asOf := monday.AddDate(0, 0, 5)
	var bare, night, wall float64
	rounds := 0
	for b.Loop() {
		dir := filepath.Join(s.dir, fmt.Sprint("round-", rounds))
		rounds++
		bare += spent(func() { s.bare(snapshot, asOf) })
		start := time.Now()
		night += spent(func() {
			s.run(Inputs{
				Snapshot: snapshot, State: filepath.Join(dir, "night"), Out: filepath.Join(dir, "exports"), AsOf: asOf,
				Config: settings(), Rules: rules, Binary: "bench",
			})
		})
		wall += time.Since(start).Seconds()
	}
	n := float64(rounds)
	b.ReportMetric(night/n, "night-cpu-s")
	b.ReportMetric(bare/n, "bare-cpu-s")
	b.ReportMetric(wall/n, "night-s")
	b.ReportMetric(float64(usage().Maxrss)/1024, "peak-MB")
	b.ReportMetric(0, "ns/op")
}

func usage() (u syscall.Rusage) {
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u
}

// spent is the CPU time of the whole process while f runs, in seconds.
func spent(f func()) float64 {
	seconds := func() float64 {
		u := usage()
		return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
	}
	before := seconds()
	f()
	return seconds() - before
}

// generated writes a snapshot of people who come on five days, four events a day.
// All consent to personalisation, half to e-mail, a third to ads; one in four buys.
func (s *shop) generated(people int) (dir string) {
	s.t.Helper()
	dir = filepath.Join(s.dir, "snapshot")
	s.mkdir(dir)
	s.sql(`create or replace table people as
		select i as person, md5('subject ' || i) as hex, md5('subject ' || i)::uuid as subject from range(%d) as t(i)`, people)
	s.sql(`create or replace table granted (kind integer, purposes bigint, cases bigint[], keeps bigint[])`)
	for _, k := range []event.Kind{event.ProductsSearched, event.ProductViewed, event.ProductClicked, event.ProductAdded, event.OrderCompleted} {
		purposes, cases, keeps := s.admitted(k)
		s.sql("insert into granted values (%d, %d, %s, %s)", k, purposes, cases, keeps)
	}
	snap := snapshot{Through: monday.AddDate(0, 0, 5), Taken: monday.AddDate(0, 0, 5), Tenant: "bench", Checkpoint: "bench\n1\nAAAA\n"}
	for d := range 5 {
		snap.Days = append(snap.Days, s.generatedDay(people, d))
	}
	s.json(filepath.Join(dir, "snapshot.json"), snap)
	since := monday.Add(-time.Hour).UnixMilli()
	s.copies(filepath.Join(dir, "standings.parquet"), `select subject, unnest(['analytics', 'personalisation_content'] ||
		if(person %% 2 = 0, ['marketing_email'], []) || if(person %% 3 = 0, ['ads_third_party'], [])) as purpose,
		'given' as status, %d::bigint as since_ms, %d::bigint as until_ms, false as explicit, 1::bigint as version from people`,
		since, monday.AddDate(1, 0, 0).UnixMilli())
	s.copies(filepath.Join(dir, "subjects.parquet"),
		"select subject, 'account' as scope, false as restricted, '' as age_band, false as objected from people")
	s.copies(filepath.Join(dir, "links.parquet"), "select subject as device, subject as account from people limit 0")
	s.copies(filepath.Join(dir, "products.parquet"), `select 'p' || i as product_id, 'c' || i %% 40 as category, 'standard' as product_class,
		1000 + i as price_cents, 5::bigint as stock, []::varchar[] as tags from range(10000) as t(i)`)
	var cases []any
	for id, body := range casesSeen {
		cases = append(cases, map[string]any{"id": fmt.Sprint(uint64(id)), "case": json.RawMessage(body)})
	}
	s.lines(filepath.Join(dir, "cases.ndjson"), cases)
	return dir
}

// generatedDay writes one ingest day: a search, one or two views, and a click, a
// basket or an order of everybody.
func (s *shop) generatedDay(people, d int) eventDay {
	day := monday.AddDate(0, 0, d)
	path := filepath.Join(s.dir, "events", "dt="+day.Format(time.DateOnly), "events.parquet")
	s.mkdir(filepath.Dir(path))
	var fields strings.Builder
	for i, f := range []string{
		"product_id: if(step = 0, '', 'p' || product)", "category: if(step = 0, '', 'c' || product % 40)", "product_class: 'standard'",
		"price_cents: if(step = 0, 0, 1000 + product)", "quantity: (step = 3)::bigint", "items: []", "product_variant: ''",
		"query_key: if(step = 0, product % 300 + 1, 0)", "query_words: []", "query_exact: false", "results: 7",
		"cart_cents: if(kind = " + fmt.Sprint(int(event.OrderCompleted)) + ", 1000 + product, 0)", "order_key: if(step = 3, person * 8 + " + fmt.Sprint(d) + ", 0)",
		"currency: 'EUR'", "step: 0", "error_class: ''", "decision_id: ''", "slot: ''", "slot_variant: ''", "page_type: 'product'",
		"referrer_host: 'search.example'", "ua_family: 'Chrome 142'", "ip_prefix: ''", "locale: 'de-DE'", "hour_band: 'morning'",
		"dwell_ms: 0", "authenticated: false",
	} {
		if i > 0 {
			fields.WriteString(", ")
		}
		fields.WriteString(f)
	}
	s.copies(path, strings.ReplaceAll(`with steps as (
			select person, subject, hex, step, hash(person, %d, step) %% 10000 as product,
				case when step = 0 then %d when step = 1 then %d when step = 2 then %d when person %% 4 = 0 then %d else %d end as kind,
				%d::bigint + person %% 80000 * 1000 + step * 45000 as at_ms
			from people cross join (select unnest(range(4)) as step))
		select ('0x' || substr(hex, 1, 3))::integer as bucket, subject, md5(person || '/%d/' || step)::uuid as message_key, kind::integer as kind,
			at_ms as occurred_ms, at_ms as received_ms, purposes, cases, keeps, 'bench' as policy,
			{FIELDS}::`+strings.ReplaceAll(fieldsSchema, "\n\t", " ")+` as f
		from steps join granted using (kind) order by bucket, subject, occurred_ms`, "FIELDS", strings.ReplaceAll(fields.String(), "%", "%%")),
		d, event.ProductsSearched, event.ProductViewed, event.ProductViewed, event.OrderCompleted, event.ProductAdded, day.UnixMilli(), d)
	_, sum, err := digestFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return eventDay{Day: day.Format(time.DateOnly), Path: path, Rows: int64(4 * people), SHA256: sum}
}

// admitted is what the gate says of a kind for somebody who agreed to
// analytics and personalisation, as SQL.
func (s *shop) admitted(k event.Kind) (purposes consent.Set, cases, keeps string) {
	var ids, kept []string
	for _, p := range []consent.Purpose{consent.Analytics, consent.PersonalisationContent} {
		v, err := rules.Event(context.Background(), policy.EventCase{
			Kind: k, Purpose: p, State: policy.StateGiven, Stamp: policy.StampYes, Tag: policy.TagNone, Age: "unknown",
		})
		if err != nil || !v.Allowed {
			s.t.Fatal(k, p, v, err)
		}
		purposes = purposes.With(p)
		ids, kept = append(ids, fmt.Sprint(int64(v.ID))), append(kept, fmt.Sprint(int64(v.Keep)))
	}
	for id, body := range rules.NewCases() {
		casesSeen[id] = body
	}
	return purposes, "[" + strings.Join(ids, ", ") + "]", "[" + strings.Join(kept, ", ") + "]"
}

func (s *shop) sql(format string, args ...any) {
	s.t.Helper()
	if err := scribe.exec(context.Background(), fmt.Sprintf(format, args...)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) copies(path, format string, args ...any) {
	s.t.Helper()
	s.sql("copy ("+strings.ReplaceAll(format, "\n\t\t", " ")+") to "+quote(path)+" (format parquet, compression zstd)", args...)
}

// bare is the night's aggregation over the files as they are.
func (s *shop) bare(snapshot string, asOf time.Time) {
	people, err := Bare(context.Background(), Inputs{Snapshot: snapshot, State: filepath.Join(s.dir, "bare"), AsOf: asOf, Config: settings(), Rules: rules})
	if err != nil || people == 0 {
		s.t.Fatal("the bare night found nobody: ", err)
	}
}
