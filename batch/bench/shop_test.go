package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// made writes a small shop of many visits: most of its subjects buy.
func made(t *testing.T, events, threads int) (dir string, rules *policy.Rules) {
	t.Helper()
	dir = t.TempDir()
	rules, err := policy.Load(t.Context(), config.Default().PolicySettings())
	if err != nil {
		t.Fatal(err)
	}
	in := Shop{Events: events, Subjects: events / 50, Products: 200, Seed: 7, Lots: 10, Threads: threads}
	if _, err := Write(t.Context(), in, rules, dir, nil); err != nil {
		t.Fatal(err)
	}
	return dir, rules
}

func overnight(t *testing.T, dir string, rules *policy.Rules) Cost {
	t.Helper()
	key, err := LedgerKey(dir)
	if err != nil || key == "" {
		t.Fatalf("the ledger's key is %q, %v", key, err)
	}
	cfg := config.Default()
	cfg.Micro.Buyers, cfg.Exports.K = 200, 10 // as small as the shop is
	cost, err := Night(t.Context(), segment.Inputs{
		Snapshot: filepath.Join(dir, Snapshot), State: filepath.Join(dir, "state"), Out: filepath.Join(dir, "exports"), AsOf: AsOf, Config: cfg,
		Rules: rules, Fresh: Fresh(dir, Snapshot), LedgerKey: key, Binary: "bench", MemoryMB: 512, Threads: 2,
	})
	if err != nil {
		t.Fatal(err)
	}
	return cost
}

// A night over a made-up shop runs all that nights learn: value, groups of buyers, what offers
// change, need and the contents of both slots, and consent is read again.
func TestANightOverAMadeUpShopLearns(t *testing.T) {
	dir, rules := made(t, 200_000, 2)
	cost := overnight(t, dir, rules)
	found := map[string]Learnt{}
	for _, l := range cost.Learnt {
		found[l.Name] = l
		if l.From() == "0" {
			t.Errorf("%s was made from nothing", l.Name)
		}
	}
	for name, says := range map[string]string{
		"second reading": "taken out", "value": "Gamma-Gamma", "micro-segments": " groups", "offers": "", "need": "",
		"variants of home_hero": " of 33 variants", "variants of product_help": "7 of 7 variants",
	} {
		if l, ok := found[name]; !ok || l.What == "0 groups" || !strings.Contains(l.What, says) {
			t.Errorf("%s: %+v, want %q", name, l, says)
		}
	}
	for _, name := range []string{"learners", "offer_results", "content_results", "values_expected", "micro"} {
		if !slices.ContainsFunc(cost.Models, func(m Model) bool { return m.Name == name && m.Rows > 0 }) {
			t.Errorf("table %s is empty: %+v", name, cost.Models)
		}
	}
}

// A count that the report withholds is not 0, and one that it tells is told.
func TestAWithheldCountIsNotNothing(t *testing.T) {
	r := segment.Report{
		Value: &segment.ValueSection{}, Need: &segment.NeedSection{}, Offer: &segment.OfferSection{HeldOut: segment.Arm{Persons: new(int64(40))}},
		Variants: []segment.VariantSection{{Slot: "told", Rows: []segment.VariantRow{{N: new(int64(30))}, {}, {N: new(int64(50))}}}, {Slot: "withheld", Rows: make([]segment.VariantRow, 3)}},
	}
	want := []string{"7", "withheld", "0", "40", "withheld", "80", "withheld"} // second reading, value, groups, offers, need, the slots
	for i, l := range learnt(r, 7) {
		if l.From() != want[i] {
			t.Errorf("%s: made from %s %s, want %s", l.Name, l.From(), l.Of, want[i])
		}
	}
}

// The same seed gives the same shop, decisions and second reading and all, however many
// threads wrote it.
func TestTheSameSeedGivesTheSameDecisions(t *testing.T) {
	one, _ := made(t, 30_000, 1)
	two, _ := made(t, 30_000, 3)
	for _, name := range []string{Snapshot, DayBefore, again(Snapshot), again(DayBefore)} {
		for _, dir := range []string{one, two} {
			if name == Snapshot || name == DayBefore { // names the folder of the events
				if err := os.Remove(filepath.Join(dir, name, "snapshot.json")); err != nil {
					t.Fatal(err)
				}
			}
		}
		if same, err := SameFiles(filepath.Join(one, name), filepath.Join(two, name)); err != nil || !same {
			t.Errorf("%s differs: %v", name, err)
		}
	}
}

// Lots are drawn as hosts draw them: by the key of the shop, with the propensity of what was
// drawn, for those alone who agreed, and one in twenty offers is held out.
func TestDecisionsAreThoseOfAHost(t *testing.T) {
	dir, _ := made(t, 60_000, 2)
	cfg, seen, held := config.Default(), map[string]int{}, 0
	eachRecord(t, dir, func(r decide.Record) {
		seen[r.Action]++
		switch r.Action {
		case decide.ActionVariant:
			var in policy.VariantInput
			var out struct {
				Variant  string
				Eligible []string
			}
			read(t, r.Input, &in)
			read(t, r.Result, &out)
			variant, ppm, ok := decide.Redraw(r.Seed, decide.Uniform(ids(cfg.Slots[in.Slot])), out.Eligible)
			if !ok || variant != out.Variant || ppm != r.PPM {
				t.Fatalf("drawn anew it is %s with %d ppm: %+v", variant, ppm, r)
			}
		case decide.ActionEscalate:
			var in policy.EscalateInput
			read(t, r.Input, &in)
			if score := cfg.Scorecard.Score(in.Features); score.Total != in.Need || in.Need < cfg.Offers.NeedHuman {
				t.Fatalf("the card gives %d points: %+v", score.Total, r)
			}
			if in.Holdout {
				held++
			}
		}
	})
	offers := seen[decide.ActionEscalate]
	if offers < 1000 || seen[decide.ActionVariant] < 800 || seen[decide.ActionHandover] < offers/10 || held < offers/50 || held > offers/8 {
		t.Errorf("%v, %d held out", seen, held)
	}
}

// Who says yes to a purpose of learning is about the share that it is to be, and some have
// taken it back.
func TestSomeAgreeToLearningAndSomeTakeItBack(t *testing.T) {
	rules, err := policy.Load(t.Context(), config.Default().PolicySettings())
	if err != nil {
		t.Fatal(err)
	}
	s, err := begin(context.Background(), Shop{Events: 10_000, Subjects: 10_000, Days: 90}, rules)
	if err != nil {
		t.Fatal(err)
	}
	s.read = s.AsOf.Add(readAfter)
	given, withdrawn, content := map[consent.Purpose]float64{}, map[consent.Purpose]float64{}, 0.0
	for i := range s.people {
		st := s.state(i)
		if _, asked := st.Standings[consent.PersonalisationContent]; asked {
			content++
		}
		for p, x := range st.Standings {
			if x.Status == consent.Given {
				given[p]++
			} else if x.Status == consent.Withdrawn {
				withdrawn[p]++
			}
		}
	}
	for _, a := range asked {
		if g, w := given[a.purpose]/content, withdrawn[a.purpose]/content; g+w < a.share-.02 || g+w > a.share+.02 || w == 0 || w > .1 {
			t.Errorf("%s: %.3f agree, %.3f took it back, want %.1f in all", a.purpose, g, w, a.share)
		}
	}
}

func eachRecord(t *testing.T, dir string, do func(decide.Record)) {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, Snapshot, "decisions.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r decide.Record
		read(t, lines.Bytes(), &r)
		do(r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, body []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(body, to); err != nil {
		t.Fatal(err)
	}
}

func ids(s config.Slot) (out []string) {
	for _, v := range s.Variants {
		out = append(out, v.ID)
	}
	return out
}
