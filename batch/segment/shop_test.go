package segment

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// rules are the real ones, compiled once for all tests.
var rules = func() *policy.Rules {
	r, err := policy.Load(context.Background(), policy.Settings{ConfigDigest: "test", K: 25}, policy.EntryEvent, policy.EntryExport, policy.EntryEscalate, policy.EntryProcessing)
	if err != nil {
		panic(err)
	}
	return r
}()

// monday is the ingest day that most tests begin with.
var monday = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)

// shop is a host in miniature: what a snapshot holds, to be written as one.
type shop struct {
	t           failer
	dir         string
	rows        map[string][]event.Row // by ingest day
	generations map[string]int64
	standings   map[consent.Subject]map[consent.Purpose]consent.Standing
	subjects    map[consent.Subject]subjectRow
	links       map[consent.Subject]consent.Subject
	products    []event.Product
	counters    []string
	decisions   []decide.Record
	decided     string // day of the oldest decision that the host keeps
	messages    uint64
	snapshots   int
	version     int       // of every subject's state
	taken       time.Time // of the next snapshot; zero: an hour after its day
}

// failer is what a shop needs of a test; rapid's is one too.
type failer interface {
	Helper()
	Fatal(...any)
}

type subjectRow struct {
	scope      consent.Scope
	restricted bool
	age        string
	objected   bool     // to direct marketing
	objections []string // and otherwise
	suppressed []string
}

func (r subjectRow) objectedTo() []string {
	if r.objected {
		return append([]string{consent.DirectMarketing}, r.objections...)
	}
	return append([]string{}, r.objections...)
}

func newShop(t testing.TB) *shop { return newShopIn(t, t.TempDir()) }

func newShopIn(t failer, dir string) *shop {
	return &shop{
		t: t, dir: dir, rows: map[string][]event.Row{}, generations: map[string]int64{},
		standings: map[consent.Subject]map[consent.Purpose]consent.Standing{}, subjects: map[consent.Subject]subjectRow{},
		links: map[consent.Subject]consent.Subject{}, version: 1,
	}
}

// subject is the nth pseudonym.
func subject(n int) consent.Subject {
	sum := sha256.Sum256(fmt.Append(nil, "subject ", n))
	return consent.Subject(sum[:16])
}

// says records a subject's decision about purposes, from a moment on, for a year.
func (s *shop) says(who consent.Subject, status consent.Status, since time.Time, purposes ...consent.Purpose) {
	if _, known := s.subjects[who]; !known {
		s.subjects[who] = subjectRow{scope: consent.Device}
	}
	if s.standings[who] == nil {
		s.standings[who] = map[consent.Purpose]consent.Standing{}
	}
	for _, p := range purposes {
		st := consent.Standing{Status: status, Since: since, Explicit: p.Special()}
		if status.Valid() {
			st.Until = since.AddDate(1, 0, 0)
		}
		s.standings[who][p] = st
	}
}

// sees lets the gate admit one event with the subject's consent of the moment.
func (s *shop) sees(who consent.Subject, kind event.Kind, at time.Time, f event.Fields) {
	s.stores(who, kind, at, f, policy.TagNone, false)
}

func (s *shop) stores(who consent.Subject, kind event.Kind, at time.Time, f event.Fields, tag policy.Tag, gpc bool) {
	s.judged(who, kind, at, f, policy.EventCase{Tag: tag, GPC: gpc})
}

// signal stores an event that came with a browser's signal.
func (s *shop) signal(who consent.Subject, kind event.Kind, at time.Time, c policy.EventCase) {
	c.Tag = policy.TagNone
	s.judged(who, kind, at, event.Fields{Product: "p1"}, c)
}

func (s *shop) judged(who consent.Subject, kind event.Kind, at time.Time, f event.Fields, c policy.EventCase) {
	s.messages++
	r := event.Row{
		Bucket: int32(who.Bucket()), Subject: who, Kind: int32(kind), OccurredMS: at.UnixMilli(), ReceivedMS: at.UnixMilli(), Policy: "test",
		MessageKey: [16]byte([]byte(fmt.Sprintf("%016d", s.messages))),
	}
	var purposes consent.Set
	var union event.FieldSet
	for _, p := range policy.GatePurposes {
		state := policy.CaseStateOf(s.standings[who][p], policy.Moment{Occurred: at, Received: at})
		v, err := rules.Event(context.Background(), policy.EventCase{
			Kind: kind, Purpose: p, State: state, Stamp: policy.StampYes, Tag: c.Tag, Age: "unknown", GPC: c.GPC, DNT: c.DNT,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if v.Allowed {
			purposes, union = purposes.With(p), union|v.Keep
			r.Cases, r.Keeps = append(r.Cases, int64(v.ID)), append(r.Keeps, int64(v.Keep))
		}
	}
	for id, body := range rules.NewCases() {
		casesSeen[id] = body
	}
	r.Purposes, r.Fields = int64(purposes), f.Keep(union)
	if purposes != 0 {
		day := at.Format(time.DateOnly)
		s.rows[day] = append(s.rows[day], r)
	}
}

// casesSeen holds every case of the process: the rules tell a new one only once.
var casesSeen = map[event.CaseID][]byte{}

// day is the events file of an ingest day, rewritten whenever its rows change.
func (s *shop) day(day string) eventDay {
	path := filepath.Join(s.dir, "events", "dt="+day, "events.parquet")
	s.mkdir(filepath.Dir(path))
	writeEvents(s.t, path, s.rows[day])
	_, sum, err := digestFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return eventDay{Day: day, Path: path, Rows: int64(len(s.rows[day])), SHA256: sum, Generation: s.generations[day]}
}

// snapshot writes what a host would, and gives the folder.
func (s *shop) snapshot(through time.Time) string {
	s.snapshots++
	dir := filepath.Join(s.dir, fmt.Sprintf("snapshot-%d", s.snapshots))
	s.mkdir(dir)
	snap := snapshot{Through: through, Taken: through.Add(time.Hour), Tenant: "test", Checkpoint: "test\n1\nAAAA\n", Decided: s.decided}
	if !s.taken.IsZero() {
		snap.Taken = s.taken
	}
	for day := range s.rows {
		if day < through.Format(time.DateOnly) {
			snap.Days = append(snap.Days, s.day(day))
		}
	}
	slices.SortFunc(snap.Days, func(a, b eventDay) int { return strings.Compare(b.Day, a.Day) })
	s.json(filepath.Join(dir, "snapshot.json"), snap)
	s.consents(dir)
	s.linked(dir)
	var products, cases, decisions []any
	for _, p := range s.products {
		products = append(products, p)
	}
	for id, body := range casesSeen {
		cases = append(cases, map[string]any{"id": fmt.Sprint(uint64(id)), "case": json.RawMessage(body)})
	}
	for _, d := range s.decisions {
		decisions = append(decisions, d)
	}
	s.parquet(filepath.Join(dir, "products.parquet"),
		"{product_id: 'varchar', category: 'varchar', product_class: 'varchar', price_cents: 'bigint', stock: 'bigint', tags: 'varchar[]'}", products)
	s.lines(filepath.Join(dir, "cases.ndjson"), cases)
	s.lines(filepath.Join(dir, "decisions.ndjson"), decisions)
	s.write(filepath.Join(dir, "counters.ndjson"), []byte(strings.Join(s.counters, "\n")+"\n"))
	return dir
}

// consents writes standings and subjects as they are now.
func (s *shop) consents(dir string) {
	var standings, subjects []any
	for who, by := range s.standings {
		for p, st := range by {
			row := map[string]any{
				"subject": who, "purpose": p, "status": st.Status, "since_ms": st.Since.UnixMilli(), "until_ms": 0,
				"explicit": st.Explicit, "version": s.version, "lifts": st.Lifts,
				"doi_confirmed": st.Proof.Confirmed(),
			}
			if !st.Until.IsZero() {
				row["until_ms"] = st.Until.UnixMilli()
			}
			standings = append(standings, row)
		}
	}
	for who, r := range s.subjects {
		subjects = append(subjects, map[string]any{
			"subject": who, "scope": r.scope, "restricted": r.restricted, "age_band": r.age, "objected": r.objected,
			"objections": r.objectedTo(), "suppressed": append([]string{}, r.suppressed...),
		})
	}
	s.parquet(filepath.Join(dir, "standings.parquet"),
		"{subject: 'uuid', purpose: 'varchar', status: 'varchar', since_ms: 'bigint', until_ms: 'bigint', explicit: 'boolean', version: 'bigint', lifts: 'boolean', doi_confirmed: 'boolean'}", standings)
	s.parquet(filepath.Join(dir, "subjects.parquet"),
		"{subject: 'uuid', scope: 'varchar', restricted: 'boolean', age_band: 'varchar', objected: 'boolean', objections: 'varchar[]', suppressed: 'varchar[]'}", subjects)
}

// linked writes which device belongs to which account.
func (s *shop) linked(dir string) {
	var links []any
	for d, a := range s.links {
		links = append(links, map[string]any{"device": d, "account": a})
	}
	s.parquet(filepath.Join(dir, "links.parquet"), "{device: 'uuid', account: 'uuid'}", links)
}

func (s *shop) fresh(_ context.Context, dir string) (exportsOff bool, err error) {
	s.consents(dir)
	return false, nil
}

// parquet writes rows of a given schema, as a host's Parquet writer would.
func (s *shop) parquet(path, schema string, rows []any) {
	writeParquet(s.t, path, schema, "*", rows)
}

const fieldsSchema = `struct(product_id varchar, category varchar, product_class varchar, price_cents bigint, quantity bigint,
	items struct(product_id varchar, quantity bigint, price_cents bigint)[], product_variant varchar, query_key bigint,
	query_words varchar[], query_exact boolean, results bigint, cart_cents bigint, order_key bigint, currency varchar,
	step bigint, error_class varchar, decision_id varchar, slot varchar, slot_variant varchar, page_type varchar,
	referrer_host varchar, ua_family varchar, ip_prefix varchar, locale varchar, hour_band varchar, dwell_ms bigint,
	authenticated boolean)`

// writeEvents writes rows with the columns and types of event.Row's Parquet tags.
// Values that Fields leaves out of its JSON are their zeros, never null.
func writeEvents(t failer, path string, rows []event.Row) {
	t.Helper()
	slices.SortFunc(rows, func(a, b event.Row) int { // as hosts do (host/snapshot)
		return cmp.Or(bytes.Compare(a.Subject[:], b.Subject[:]), cmp.Compare(a.OccurredMS, b.OccurredMS), bytes.Compare(a.MessageKey[:], b.MessageKey[:]))
	})
	out := make([]any, len(rows))
	for i, r := range rows {
		out[i] = map[string]any{
			"bucket": r.Bucket, "subject": consent.Subject(r.Subject).String(), "message_key": hex.EncodeToString(r.MessageKey[:]),
			"kind": r.Kind, "occurred_ms": r.OccurredMS, "received_ms": r.ReceivedMS, "purposes": r.Purposes,
			"cases": r.Cases, "keeps": r.Keeps, "policy": r.Policy, "f": fullFields(r.Fields),
		}
	}
	writeParquet(t, path, "{bucket: 'integer', subject: 'uuid', message_key: 'uuid', kind: 'integer', occurred_ms: 'bigint', received_ms: 'bigint', purposes: 'bigint', cases: 'bigint[]', keeps: 'bigint[]', policy: 'varchar', f: '"+
		strings.ReplaceAll(fieldsSchema, "\n\t", " ")+"'}", "*", out)
}

func fullFields(f event.Fields) map[string]any {
	items := f.Items
	if items == nil {
		items = []event.Item{}
	}
	words := f.QueryWords
	if words == nil {
		words = []string{}
	}
	return map[string]any{
		"product_id": f.Product, "category": f.Category, "product_class": f.ProductClass, "price_cents": f.PriceCents,
		"quantity": f.Quantity, "items": items, "product_variant": f.Variant, "query_key": f.QueryKey, "query_words": words,
		"query_exact": f.QueryExact, "results": f.Results, "cart_cents": f.CartCents, "order_key": f.OrderKey,
		"currency": f.Currency, "step": f.Step, "error_class": f.ErrorClass, "decision_id": f.Decision, "slot": f.Slot,
		"slot_variant": f.SlotVariant, "page_type": f.PageType, "referrer_host": f.ReferrerHost, "ua_family": f.UAFamily,
		"ip_prefix": f.IPPrefix, "locale": f.Locale, "hour_band": f.HourBand, "dwell_ms": f.DwellMS, "authenticated": f.Authenticated,
	}
}

// scribe is the DuckDB that writes snapshots; it is not the night's.
var scribe, scribeDir = func() (*warehouse, string) {
	dir, err := os.MkdirTemp("", "handschlag-scribe-")
	if err != nil {
		panic(err)
	}
	w, err := openWarehouse(context.Background(), dir, 512, 2)
	if err != nil {
		panic(err)
	}
	return w, dir
}()

func writeParquet(t failer, path, schema, columns string, rows []any) {
	t.Helper()
	lines := path + ".ndjson"
	writeLines(t, lines, rows)
	query := fmt.Sprintf("copy (select %s from read_json(%s, format = 'newline_delimited', columns = %s)) to %s (format parquet, compression zstd)",
		columns, quote(lines), schema, quote(path))
	if err := scribe.exec(context.Background(), query); err != nil {
		t.Fatal(err)
	}
	_ = os.Remove(lines)
}

func writeLines(t failer, path string, rows []any) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	enc := json.NewEncoder(f)
	for _, r := range rows {
		if err := enc.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) lines(path string, rows []any) { writeLines(s.t, path, rows) }

func (s *shop) json(path string, v any) { s.write(path, mustJSON(s.t, v)) }

func mustJSON(t failer, v any) []byte {
	t.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (s *shop) write(path string, body []byte) {
	if err := os.WriteFile(path, body, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shop) mkdir(path string) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		s.t.Fatal(err)
	}
}

// settings is a small configuration: two segments, two channels, one slot.
func settings() *config.Config {
	return &config.Config{
		Tenant: "test",
		Segments: []config.Segment{
			{Name: "lookers", Title: map[string]string{"de": "Schauende", "en": "Lookers"}, Where: "product_views_28d >= 2 and orders_28d = 0", Line: 10},
			{Name: "buyers", Title: map[string]string{"de": "Kaufende", "en": "Buyers"}, Where: "orders_90d >= 1", Line: 12},
		},
		Exports: config.Exports{K: 25, Channels: []config.Channel{
			{Name: "email", Purpose: consent.MarketingEmail, Recipient: "post-house", Role: "processor"},
			{Name: "ads", Purpose: consent.AdsThirdParty, Recipient: "ad-house", Role: "controller"},
		}},
		Notices: []config.Notice{{Version: "1", Purposes: consent.Purposes, Recipients: []string{"post-house", "ad-house"}}},
		Register: registerWith(
			config.Recipient{ID: "post-house", Role: "processor", Contract: "art-28-2026", Country: "DE", Transfer: "none", DeletionDays: 7},
			config.Recipient{ID: "ad-house", Role: "controller", Contract: "sharing-2026", Country: "IE", Transfer: "none", DeletionDays: 7},
		),
		Slots:     map[string]config.Slot{"home_hero": {Variants: []config.Variant{{ID: "a"}, {ID: "b"}, {ID: "c"}}}},
		Learning:  config.Learning{Publish: config.LearningParts, RewardDays: 7, MarginBP: 3000, HorizonDays: 90},
		Retention: config.Retention{EventDays: 30, FeatureDays: 90, SegmentDays: 30, DecisionDays: 396},
	}
}

// registerWith is the default register with recipients more, all of them assessed.
func registerWith(more ...config.Recipient) config.Register {
	r := config.Default().Register
	r.Recipients = append(r.Recipients, more...)
	for i := range r.DPIA {
		for _, m := range more {
			r.DPIA[i].Recipients = append(r.DPIA[i].Recipients, m.ID)
		}
	}
	return r
}

// night gives the inputs of a night over the shop as it is.
func (s *shop) night(asOf time.Time) Inputs {
	return Inputs{
		Snapshot: s.snapshot(asOf), State: filepath.Join(s.dir, "night"), Out: filepath.Join(s.dir, "exports"),
		AsOf: asOf, Config: settings(), Rules: rules, Fresh: s.fresh, Threads: 2, MemoryMB: 512, Binary: "test",
	}
}

// sealed is a night over a snapshot whose checkpoint is signed and covers so many
// leaves.
func (s *shop) sealed(t *testing.T, size int64) (in Inputs, signed, public string) {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "test/consent")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	body, err := note.Sign(&note.Note{Text: fmt.Sprintf("test/consent\n%d\n%s\n", size, tlog.Hash{1})}, signer)
	if err != nil {
		t.Fatal(err)
	}
	in = s.night(monday.AddDate(0, 0, 1))
	in.LedgerKey = public
	s.checkpoint(in, string(body))
	return in, string(body), public
}

// checkpoint puts another checkpoint into a night's snapshot.
func (s *shop) checkpoint(in Inputs, checkpoint string) {
	snap, err := readSnapshot(in.Snapshot, in.AsOf)
	if err != nil {
		s.t.Fatal(err)
	}
	snap.Checkpoint = checkpoint
	s.json(filepath.Join(in.Snapshot, "snapshot.json"), snap)
}

func (s *shop) run(in Inputs) Result {
	s.t.Helper()
	res, err := Run(context.Background(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	return res
}

// held is what a night found out about each subject.
func held(res Result) map[consent.Subject]profile.Membership { return maps.Collect(res.Members.All()) }

// everyday fills days with plain behaviour: of every 4 subjects one buys; all
// consent to personalisation, half to e-mail and a third to ads.
func (s *shop) everyday(people, days int) {
	for n := range people {
		who := subject(n)
		since := monday.Add(-time.Hour)
		s.says(who, consent.Given, since, consent.PersonalisationContent, consent.Analytics)
		s.subjects[who] = subjectRow{scope: consent.Account}
		if n%2 == 0 {
			s.says(who, consent.Given, since, consent.MarketingEmail)
		}
		if n%3 == 0 {
			s.says(who, consent.Given, since, consent.AdsThirdParty)
		}
	}
	for d := range days {
		for n := range people {
			at := monday.AddDate(0, 0, d).Add(time.Duration(n) * time.Second)
			s.visit(subject(n), at, n, d)
		}
	}
}

func (s *shop) visit(who consent.Subject, at time.Time, n, d int) {
	s.sees(who, event.ProductsSearched, at, event.Fields{QueryKey: int64(n % 7), Results: 3})
	s.sees(who, event.ProductViewed, at.Add(time.Minute), event.Fields{Product: fmt.Sprint("p", n%5), Category: "tea", PriceCents: 1000 + int64(n), HourBand: "morning"})
	s.sees(who, event.ProductViewed, at.Add(2*time.Minute), event.Fields{Product: fmt.Sprint("p", n%3), Category: "tea", PriceCents: 2000})
	if n%4 == 0 {
		s.sees(who, event.ProductAdded, at.Add(3*time.Minute), event.Fields{Product: "p1", Quantity: 1, PriceCents: 2000})
		s.sees(who, event.OrderCompleted, at.Add(4*time.Minute), event.Fields{OrderKey: int64(n*100 + d + 1), CartCents: 2000 + int64(n), Currency: "EUR"})
	}
}
