//go:build awslocal

package aws_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/profile"
)

// backup is what tables held at a moment.
type backup map[string][]map[string]types.AttributeValue

func tablesOf(o aws.Options) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: awslocal.Region, Credentials: o.Account.Credentials, BaseEndpoint: sdk.String(o.Account.Endpoints["DYNAMODB"]),
	})
}

func backedUp(t *testing.T, o aws.Options) backup {
	t.Helper()
	out := backup{}
	for _, table := range aws.Tables {
		in := &dynamodb.ScanInput{TableName: sdk.String(o.Prefix + "-" + table.Name), ConsistentRead: sdk.Bool(true)}
		for pages := dynamodb.NewScanPaginator(tablesOf(o), in); pages.HasMorePages(); {
			page, err := pages.NextPage(ctx)
			ok(t, err)
			out[table.Name] = append(out[table.Name], page.Items...)
		}
	}
	return out
}

// allButKeys are all tables but the one of keys: whoever lost those has nothing to restore.
func allButKeys() (out []string) {
	for _, table := range aws.Tables {
		if table.Name != "secret" {
			out = append(out, table.Name)
		}
	}
	return out
}

// putBack makes tables what they were.
func putBack(t *testing.T, o aws.Options, was backup, names []string) {
	t.Helper()
	db, now := tablesOf(o), backedUp(t, o)
	for _, table := range aws.Tables {
		if !slices.Contains(names, table.Name) {
			continue
		}
		name := sdk.String(o.Prefix + "-" + table.Name)
		for _, i := range now[table.Name] {
			key := map[string]types.AttributeValue{table.Hash: i[table.Hash]}
			if table.Range != "" {
				key[table.Range] = i[table.Range]
			}
			_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: name, Key: key})
			ok(t, err)
		}
		for _, i := range was[table.Name] {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: name, Item: i})
			ok(t, err)
		}
	}
}

// drilled is a shop in which a lot happened since a backup.
type drilled struct {
	*aws.Host
	t                    *testing.T
	o                    aws.Options
	was                  backup
	ada, bob, carl, dora consent.Subject
	phone                consent.Subject
	named                consent.ID // of dora
	now                  atomic.Int64
}

func (d *drilled) says(s consent.Subject, r consent.Record) {
	d.t.Helper()
	say(d.t, d.Host, s, r)
}

func drill(t *testing.T) *drilled {
	t.Helper()
	d := &drilled{t: t, o: awslocal.Start(t).Fresh(t)}
	d.o.Clock = func() time.Time { return noon.Add(3*time.Hour + time.Duration(d.now.Add(1))*time.Millisecond) } // it moves
	d.o.Retain.ProofYears = 3
	d.Host = opened(t, d.o)
	d.ada, d.bob = someone(t, d.Host, consent.Account, "ada"), someone(t, d.Host, consent.Account, "bob")
	d.carl = someone(t, d.Host, consent.Account, "carl-canary")
	for name, s := range map[string]consent.Subject{"ada": d.ada, "bob": d.bob, "carl": d.carl} {
		d.says(s, recordThat("grant-of-"+name, noon, consent.Account, true, consent.PersonalisedPrice, consent.AdviserAssist, consent.MarketingEmail))
		ok(t, d.UpdateProfile(ctx, s, nil, func(p profile.Profile) profile.Profile {
			p.Sections = map[consent.Purpose]profile.Section{consent.AdviserAssist: {}}
			return p
		}))
	}
	ok(t, d.Object(ctx, d.carl, consent.DirectMarketing, true, noon))
	ok(t, d.Sequence(ctx))
	d.says(d.ada, recordThat("waits-for-the-ledger", noon, consent.Account, true, consent.PersonalisedPrice, consent.AdviserAssist)) // in the copy without its place
	d.was = backedUp(t, d.o)

	ok(t, d.Sequence(ctx))
	d.phone = someone(t, d.Host, consent.Device, "the-one-phone-of-ada")
	ok(t, d.Link(ctx, d.phone, d.ada, noon.Add(time.Hour)))
	d.says(d.ada, recordThat("withdrawal-of-ada", noon.Add(time.Hour), consent.Account, false, consent.PersonalisedPrice, consent.AdviserAssist))
	ok(t, d.Object(ctx, d.bob, consent.DirectMarketing, true, noon.Add(time.Hour)))
	ok(t, d.Suppress(ctx, d.bob, consent.MarketingEmail.Channel(), true, noon.Add(time.Hour)))
	ok(t, d.Sequence(ctx))
	named, err := consent.NewID(consent.Account, "dora")
	ok(t, err)
	d.named = named
	d.dora = someone(t, d.Host, consent.Account, "dora")
	d.says(d.dora, recordThat("grant-of-dora", noon.Add(time.Hour), consent.Account, true, consent.Analytics))
	_, err = d.Erase(ctx, d.carl, noon.Add(2*time.Hour))
	ok(t, err)
	ok(t, d.Sequence(ctx))
	// Of the last minute, in no batch of the journal yet.
	ok(t, d.Restrict(ctx, d.dora, true, noon.Add(2*time.Hour)))
	d.says(d.bob, recordThat("last-of-bob", noon.Add(2*time.Hour), consent.Account, false, consent.AdviserAssist))
	return d
}

// size is how many leaves are published.
func (d *drilled) size() int64 {
	d.t.Helper()
	p, err := d.Proof(ctx, "grant-of-ada")
	ok(d.t, err)
	public, err := d.Verifier(ctx)
	ok(d.t, err)
	c, err := ledger.OpenCheckpoint(public, []byte(p.Checkpoint))
	ok(d.t, err)
	return c.Size
}

// asBefore checks that everything that happened since the backup holds; but for the
// last minute if book and queue were lost at once.
func (d *drilled) asBefore(h *aws.Host, lastMinute bool) {
	t := d.t
	t.Helper()
	st, err := h.State(ctx, d.ada)
	ok(t, err)
	if st.Version != 3 || st.Usable(consent.AdviserAssist, noon.Add(3*time.Hour)) {
		t.Errorf("ada's withdrawal is lost: %+v", st)
	}
	if p, err := h.Profile(ctx, d.ada); err != nil || len(p.Sections) > 0 {
		t.Errorf("ada's profile came back: %+v, %v", p, err)
	}
	if p, err := h.PriceStanding(ctx, "grant-of-ada"); err != nil || !p.Until.IsZero() {
		t.Errorf("a price still uses what ada withdrew: %+v, %v", p, err)
	}
	if p, err := h.PriceStanding(ctx, "grant-of-carl"); !errors.Is(err, flow.ErrNotFound) {
		t.Errorf("a price knows what carl gave: %+v, %v", p, err)
	}
	if account, err := h.AccountOf(ctx, d.phone); err != nil || account != d.ada {
		t.Errorf("ada's phone is linked to %s, %v", account, err)
	}
	if s, err := h.Find(ctx, d.named); err != nil || s != d.dora {
		t.Errorf("dora's identifier leads to %s, %v", s, err)
	}
	if p, err := h.PriceStanding(ctx, "grant-of-bob"); err != nil || p.Until.IsZero() {
		t.Errorf("a price lost what bob gave: %+v, %v", p, err)
	}
	if st, err = h.State(ctx, d.bob); err == nil && st.Usable(consent.AdviserAssist, noon.Add(3*time.Hour)) == lastMinute {
		t.Errorf("bob's last word is lost: %+v", st)
	}
	if st, err = h.State(ctx, d.bob); err != nil || !st.Listed(consent.ObjectionList, consent.DirectMarketing) || !st.SuppressedFor(consent.MarketingEmail) {
		t.Errorf("bob's objection is lost: %+v, %v", st, err)
	}
	if st, err = h.State(ctx, d.dora); err != nil || st.At(consent.Analytics, noon.Add(3*time.Hour)).RecordID != "grant-of-dora" || st.Restricted != lastMinute {
		t.Errorf("dora's consent is lost: %+v, %v", st, err)
	}
	if st, err = h.State(ctx, d.carl); err != nil || st.Version != 0 {
		t.Errorf("carl is back: %+v, %v", st, err)
	}
	for _, table := range aws.Tables {
		if all := contents(t, d.o, table.Name); strings.Contains(all, d.carl.String()) {
			t.Errorf("table %s holds carl", table.Name)
		}
	}
	if p, err := h.SealedProof(ctx, "grant-of-carl"); err != nil || p.Record.RecordID != "grant-of-carl" {
		t.Errorf("carl's sealed proof is lost: %v", err)
	}
	back := someone(t, h, consent.Account, "carl-canary")
	if st, err = h.State(ctx, back); err != nil || back == d.carl || !st.SuppressedFor(consent.MarketingEmail) {
		t.Errorf("carl's last word on marketing is lost: %+v, %v", st, err)
	}
}

// accounted checks that each leaf of the ledger has a fate, and each record its place.
func (d *drilled) accounted(h *aws.Host) {
	d.t.Helper()
	everyLeafHasAFate(d.t, h)
	for _, i := range backedUp(d.t, d.o)["book"] {
		if s, is := i["s"].(*types.AttributeValueMemberS); is && strings.HasPrefix(s.Value, "rec#") && i["i"] == nil {
			d.t.Errorf("a record waits for its place for ever: %s", s.Value)
		}
	}
}

// TestATableThatWasPutBackIsNotReliedOnUntilItIsPutRight is the drill of L11, with
// every table for itself and all at once.
func TestATableThatWasPutBackIsNotReliedOnUntilItIsPutRight(t *testing.T) {
	for name, c := range map[string]struct {
		tables   []string
		unsafe   bool // at once: no process relies on consent
		sequence bool // the next growth of the ledger finds out
		price    bool // a price finds out
	}{
		"book":       {tables: []string{"book"}, unsafe: true, sequence: true},
		"identity":   {tables: []string{"identity"}, unsafe: true, sequence: true},
		"grants":     {tables: []string{"price-grant"}, price: true, sequence: true},
		"queue":      {tables: []string{"leaf"}, sequence: true},
		"ledger":     {tables: []string{"ledger"}, sequence: true},
		"profiles":   {tables: []string{"profile"}},
		"everything": {tables: allButKeys(), unsafe: true, sequence: true, price: true},
		"nothing":    {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := drill(t)
			size := d.size()
			putBack(t, d.o, d.was, c.tables)
			h := opened(t, d.o)
			if _, err := h.State(ctx, d.ada); errors.Is(err, aws.ErrDistrusted) != c.unsafe {
				t.Errorf("a new process reads ada's state: %v", err)
			}
			if _, err := h.PriceStanding(ctx, "grant-of-ada"); errors.Is(err, aws.ErrDistrusted) != c.price {
				t.Errorf("a new process reads ada's standing: %v", err)
			}
			if _, err := h.Append(ctx, d.bob, func(consent.State) (consent.Record, error) {
				return recordThat("later", noon.Add(3*time.Hour), consent.Account, true, consent.Analytics), nil
			}); errors.Is(err, aws.ErrDistrusted) != c.unsafe {
				t.Errorf("a record is written on it: %v", err)
			}
			if c.unsafe {
				if _, err := h.Erase(ctx, d.dora, noon.Add(3*time.Hour)); !errors.Is(err, aws.ErrDistrusted) {
					t.Errorf("somebody is erased on it: %v", err)
				}
			}
			if err := h.Sequence(ctx); (err != nil) != c.sequence {
				t.Errorf("the ledger grows on it: %v", err)
			}
			if c.sequence {
				if _, err := opened(t, d.o).State(ctx, d.bob); !errors.Is(err, aws.ErrDistrusted) {
					t.Errorf("another process relies on it: %v", err)
				}
				if now := d.size(); now != size {
					t.Errorf("the ledger grew from %d to %d leaves", size, now)
				}
			}
			out, err := h.Restore(ctx)
			ok(t, err)
			if _, err := h.State(ctx, d.ada); !errors.Is(err, aws.ErrDistrusted) {
				t.Errorf("it is relied on before anybody verified it: %v", err)
			}
			again, err := h.Restore(ctx)
			ok(t, err)
			if again != (aws.Restored{}) {
				t.Errorf("after %+v there was more to do: %+v", out, again)
			}
			ok(t, h.Trust(ctx))
			ok(t, h.Sequence(ctx))
			d.asBefore(h, name != "everything")
			d.accounted(h)
			if name == "book" && (out.Records != 3 || out.Lists < 3 || out.Links != 1 || out.Erasures != 1) {
				t.Errorf("it says %+v", out)
			}
			if name == "ledger" && !out.Head || name == "nothing" && out != (aws.Restored{}) {
				t.Errorf("it says %+v", out)
			}
		})
	}
}

// TestARestoreMayStopAnywhere cuts the cable after every so many requests; calling
// again finishes.
func TestARestoreMayStopAnywhere(t *testing.T) {
	for cut := 8; cut <= 120; cut += 14 {
		t.Run(fmt.Sprintf("after %d requests", cut), func(t *testing.T) {
			t.Parallel()
			d := drill(t)
			putBack(t, d.o, d.was, allButKeys())
			h, cable := behind(t, d.o)
			cable.left.Store(int64(cut))
			_, err := h.Restore(ctx)
			cable.left.Store(-1)
			if err == nil && cut < 80 {
				t.Error("it was not stopped")
			}
			if _, err := opened(t, d.o).State(ctx, d.ada); err != nil && !errors.Is(err, aws.ErrDistrusted) {
				t.Error(err)
			} else if err == nil {
				t.Error("it is relied on")
			}
			_, err = h.Restore(ctx)
			ok(t, err)
			ok(t, h.Trust(ctx))
			ok(t, h.Sequence(ctx))
			d.asBefore(h, false)
			d.accounted(h)
		})
	}
}

// TestTheJournalForgets has nights gather the journal's minutes, take out who was
// erased, and drop what no backup is old enough for.
func TestTheJournalForgets(t *testing.T) {
	t.Parallel()
	a := newAccount(t)
	lines := func() (all int, about map[string]int) {
		about = map[string]int{}
		for _, key := range a.keys("night", "journal/") {
			for line := range strings.Lines(string(a.object("night", key))) {
				if strings.TrimSpace(line) == "" {
					continue
				}
				var l struct {
					M []string
					J string
					O *struct{ Kind string }
				}
				ok(t, json.Unmarshal([]byte(line), &l))
				all++
				for _, m := range l.M {
					about[m]++
				}
				if strings.Contains(line, "yes-of") || (l.J == "") == (l.O == nil) || l.O != nil && (l.O.Kind != "opening" || len(l.M) > 0) {
					t.Errorf("a line is readable, or empty: %s", line)
				}
			}
		}
		return all, about
	}
	ada := a.person("ada")
	ok(t, a.Sequence(ctx))
	a.set(noon.Add(time.Minute))
	a.person("bob")
	ok(t, a.Sequence(ctx))
	if all, about := lines(); all != 4 || len(about) != 2 || len(a.keys("night", "journal/")) != 2 {
		t.Fatalf("got %d lines about %v", all, about)
	}
	a.set(noon.Add(aDay))
	a.night(noon.Add(aDay).Truncate(aDay))
	if all, about := lines(); all != 4 || len(about) != 2 || len(a.keys("night", "journal/")) != 1 {
		t.Fatalf("a night later: %d lines about %v in %v", all, about, a.keys("night", "journal/"))
	}
	_, err := a.Erase(ctx, ada, a.o.Clock())
	ok(t, err)
	ok(t, a.Sequence(ctx))
	a.set(noon.Add(2 * aDay))
	a.night(noon.Add(2 * aDay).Truncate(aDay))
	if all, about := lines(); len(about) != 1 || all < 3 { // bob's, the erasure and its leaf
		t.Fatalf("after the erasure: %d lines about %v", all, about)
	}
	a.set(noon.Add(37 * aDay))
	a.night(noon.Add(37 * aDay).Truncate(aDay))
	if all, about := lines(); all != 0 {
		t.Fatalf("after 37 days: %d lines about %v", all, about)
	}
}
