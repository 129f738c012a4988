package segment

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// consentFolder is what a host's files say of everybody.
type consentFolder struct {
	people map[int]person
	links  map[int]int
}

type person struct {
	scope, age             string
	restricted             bool
	objections, suppressed []string
	version                int
	standings              []map[string]any
}

func among[T any](random *rand.Rand, of ...T) T { return of[random.IntN(len(of))] }

// somebody decides anything about some purposes: half of them end before the ledger is read,
// or begin to count the moment that it is.
func somebody(random *rand.Rand, n int, readMS int64) person {
	p := person{
		scope: among(random, "device", "account"), age: among(random, "", "adult", "16_17", "u16"), restricted: random.IntN(6) == 0,
		objections: among(random, []string{}, []string{}, []string{"direct_marketing"}, []string{"profiling", "li:marketing_post", "profiling"}),
		suppressed: among(random, []string{}, []string{}, []string{"email"}, []string{consent.AllChannels, "sms"}), version: 1 + random.IntN(3),
	}
	for _, purpose := range []consent.Purpose{
		basis, consent.Analytics, consent.MarketingEmail, consent.MarketingPost, consent.AdsThirdParty, consent.ModelTraining,
		consent.SpecialCategory("health"), consent.SpecialCategory("union"),
	} {
		if random.IntN(3) == 0 {
			continue
		}
		p.standings = append(p.standings, map[string]any{
			"subject": subject(n), "purpose": purpose, "status": among(random, consent.Given, consent.Given, consent.Renewed, consent.Refused, consent.Withdrawn, consent.Expired, consent.Requested, consent.Invalidated), "since_ms": readMS - int64(random.IntN(5)),
			"until_ms": readMS + among(random, int64(-1), 0, 1, 2), "explicit": random.IntN(2) == 0, "version": p.version,
			"notice": among(random, "", "n1", "n2"), "doi_confirmed": random.IntN(2) == 0, "lifts": random.IntN(2) == 0,
		})
	}
	return p
}

// write writes the three files, in the order of hosts or in any.
func (f consentFolder) write(t *testing.T, dir string, random *rand.Rand, ordered bool) {
	t.Helper()
	var standings, subjects, links []any
	order := random.Perm(200)
	if ordered {
		slices.SortFunc(order, func(a, b int) int { return compareSubjects(subject(a), subject(b)) })
	}
	for _, n := range order {
		if p, known := f.people[n]; known {
			for _, s := range p.standings {
				standings = append(standings, s)
			}
			if n%30 > 0 { // whose row is missing is nobody's
				subjects = append(subjects, map[string]any{"subject": subject(n), "scope": p.scope, "restricted": p.restricted, "age_band": p.age,
					"objected": len(p.objections) > 0, "objections": p.objections, "suppressed": p.suppressed})
			}
		}
		if account, linked := f.links[n]; linked {
			links = append(links, map[string]any{"device": subject(n), "account": subject(account)})
		}
	}
	writeParquet(t, filepath.Join(dir, "standings.parquet"), "{subject: 'uuid', purpose: 'varchar', status: 'varchar', since_ms: 'bigint', until_ms: 'bigint', "+
		"explicit: 'boolean', version: 'bigint', notice: 'varchar', lifts: 'boolean', doi_confirmed: 'boolean'}", "*", standings)
	writeParquet(t, filepath.Join(dir, "subjects.parquet"), "{subject: 'uuid', scope: 'varchar', restricted: 'boolean', age_band: 'varchar', "+
		"objected: 'boolean', objections: 'varchar[]', suppressed: 'varchar[]'}", "*", subjects)
	writeParquet(t, filepath.Join(dir, "links.parquet"), "{device: 'uuid', account: 'uuid'}", "*", links)
}

// changed is what the same files say later: somebody decided something, or was erased; who
// is new, and who was linked to somebody, or to somebody else.
func (f consentFolder) changed(random *rand.Rand, readMS int64) consentFolder {
	later := consentFolder{map[int]person{}, map[int]int{}}
	for n := range 200 {
		if p, known := f.people[n]; known && random.IntN(10) > 0 {
			later.people[n] = p
		}
		if random.IntN(10) == 0 {
			p := somebody(random, n, readMS)
			p.version += 3
			for _, s := range p.standings {
				s["version"] = p.version
			}
			later.people[n] = p
		}
		if account, linked := f.links[n]; linked && random.IntN(10) > 0 {
			later.links[n] = account
		}
		if random.IntN(20) == 0 {
			later.links[n] = random.IntN(200)
		}
	}
	return later
}

// TestWhatDiffersIsFoldedAsTheWholeIs: of two readings of consent every table is, after
// the second, what folding all of it gives, and the same persons are left out.
func TestWhatDiffersIsFoldedAsTheWholeIs(t *testing.T) {
	ctx := context.Background()
	n := bench(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var readMS int64
	do(n.db.one(ctx, "select getvariable('read_ms')", &readMS))
	out := 0
	for seed := range uint64(5) {
		random := rand.New(rand.NewPCG(seed, 11))
		before := consentFolder{map[int]person{}, map[int]int{}}
		for i := range 160 {
			before.people[i] = somebody(random, i, readMS)
			if random.IntN(3) == 0 {
				before.links[i] = random.IntN(200)
			}
		}
		first, second := t.TempDir(), t.TempDir()
		ordered := seed%4 > 0
		before.write(t, first, random, ordered)
		before.changed(random, readMS).write(t, second, random, ordered)
		n.in.Snapshot = first
		do(n.fromParquet(ctx, first, "links"))
		do(n.consents(ctx, first))
		do(n.db.exec(ctx, "delete from left_out; drop schema if exists whole cascade; create schema whole; create table whole.signatures_before as from signatures; create table whole.persons_before as from persons"))
		do(n.takeOut(ctx, second))
		do(n.db.exec(ctx, "set search_path = 'whole,main'"))
		do(n.showConsents(ctx, second))
		for _, table := range append(slices.Clone(folded), "objectors") { // no files: those of the first reading are still read
			do(n.db.table(ctx, table))
		}
		do(n.db.exec(ctx, "create table whole.differing as select subject from signatures union select subject from signatures_before"))
		do(n.db.table(ctx, "changed"))
		do(n.db.exec(ctx, `create table whole.left_out as
			select subject as person from changed
			union select person from persons_before where subject in (select subject from changed)
			union select person from persons where subject in (select subject from changed)
			union select unnest([b.person, p.person]) from persons_before as b full join persons as p using (subject)
				where b.person is distinct from p.person;
			set search_path = 'main'`))
		for _, table := range append(slices.Clone(folded), "left_out", "objectors") {
			var rows, wrong int
			do(n.db.one(ctx, fmt.Sprintf("select (select count(*) from main.%[1]s), (select count(*) from ((from main.%[1]s except all from whole.%[1]s) union all (from whole.%[1]s except all from main.%[1]s)))", table), &rows, &wrong))
			if wrong > 0 || rows == 0 {
				t.Errorf("seed %d: table %s has %d rows, %d of which are in only one", seed, table, rows, wrong)
			}
			if table == "left_out" {
				out += rows
			}
		}
	}
	if out > 5*200*3/4 {
		t.Errorf("nearly everybody is left out: %d", out)
	}
}
