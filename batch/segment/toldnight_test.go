package segment

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// leaves lists the numbers of JSON by path; of estimates only that they are there.
func leaves(v any, path string, visit func(path string)) {
	switch v := v.(type) {
	case float64:
		for _, part := range []string{".mean", ".low", ".high"} {
			if cut, is := strings.CutSuffix(path, part); is && tellings[path].as == isUnnamed {
				path = cut
			}
		}
		visit(path)
	case []any:
		for _, x := range v {
			if _, number := x.(float64); number && path != "told_before[].told" {
				visit(path)
				return
			}
			leaves(x, path+"[]", visit)
		}
	case map[string]any:
		for key, x := range v {
			if slices.Contains([]string{"totals", "decisions", "variants"}, path) {
				key = "[]"
			}
			leaves(x, strings.ReplaceAll(dotted(path, key), ".[]", "[]"), visit)
		}
	}
}

// Of every number of report.json it is said what it is and how it is told; and nothing is
// said of numbers that there are not.
func TestEveryNumberOfTheReportHasAKind(t *testing.T) {
	r := richReport()
	r.ToldBefore = []ToldBefore{{"x", "2026-11-20", []float64{25}}}
	r.PastTerm = r.LetGo
	s := wanting(t, 130, 1)
	for name, r := range map[string]Report{"a rich report": r, "a night": s.run(s.night(monday.AddDate(0, 0, 1))).Report} {
		var tree any
		if err := json.Unmarshal(mustJSON(t, r), &tree); err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		leaves(tree, "", func(path string) {
			if seen[path] = true; tellings[path].as == isUnnamed {
				t.Errorf("%s: nobody said what %s is", name, path)
			}
		})
		for path, telling := range tellings {
			if name == "a rich report" && !seen[path] {
				t.Errorf("%s has a kind and is in no report", path)
			}
			for _, of := range telling.of {
				if tellings[of].as != isPersons {
					t.Errorf("%s is of %s, which is no number of persons", path, of)
				}
			}
		}
	}
	if err := after(memory{}).tellNumbers(&r); err != nil {
		t.Error(err)
	}
}

// numbersOf are the numbers of persons and figures of a report, by name.
func numbersOf(r *Report) map[string]string {
	out := map[string]string{}
	for name, v := range r.memory().told {
		if tellings[pathOf(name)].as != isOnce {
			out[name] = fmt.Sprint(v)
		}
	}
	for _, b := range r.ToldBefore {
		delete(out, b.Name)
	}
	return out
}

// stir lets a few persons come, go, act and change their mind.
func (s *shop) stir(dice *rand.Rand, people, few int, at time.Time) {
	for i := range few {
		who := subject(dice.IntN(people))
		switch dice.IntN(4) {
		case 0:
			who = subject(100_000 + i)
			s.says(who, consent.Given, at, basis, consent.Analytics, consent.MarketingEmail)
			s.subjects[who] = subjectRow{scope: consent.Account}
		case 1:
			s.says(who, consent.Withdrawn, at, basis, consent.MarketingEmail)
			continue
		case 2:
			s.says(who, consent.Withdrawn, at, consent.MarketingEmail)
		}
		for range 1 + dice.IntN(8) {
			at = at.Add(time.Duration(1+dice.IntN(600)) * time.Second)
			s.want(who, at, dice)
		}
	}
}

// classes are there from k buyers on, and then all have one: they come and go with one person.
const classes = "features[recency].persons features[frequency].persons features[monetary].persons features[value_tier].persons"

// EXP-07: two nights that differ by fewer than k persons tell the same of persons, byte for
// byte, whatever those did; and so does a second run of the first.
func TestNightsThatFewPersonsTellApartTellTheSame(t *testing.T) {
	for seed, people := range []int{48, 200} {
		s, dice := wanting(t, people, uint64(seed)), rand.New(rand.NewPCG(uint64(seed), 2))
		night := func(day int) Report {
			in := s.night(monday.AddDate(0, 0, day))
			in.Config.Segments = append(in.Config.Segments, config.Segment{Name: "all", Where: "events_90d > 0"}, config.Segment{Name: "some", Where: "cart_adds_90d > 1"})
			s.run(in)
			var r Report
			if err := json.Unmarshal(s.read(filepath.Join(in.Out, monday.AddDate(0, 0, day).Format(time.DateOnly), reportFile)), &r); err != nil {
				t.Fatal(err)
			}
			return r
		}
		first := night(1)
		s.stir(dice, people, 24, monday.AddDate(0, 0, 1).Add(time.Hour))
		for name, other := range map[string]Report{"the next night": night(2), "a second run": night(1)} {
			one, two := numbersOf(&first), numbersOf(&other)
			for _, name := range slices.Sorted(maps.Keys(one)) {
				if v, known := two[name]; known && v != one[name] && !strings.Contains(classes, name) {
					t.Errorf("%d people, %s: %s was told as %s, and is told as %s", people, name, name, one[name], v)
				}
			}
			if len(one) < 100 || len(two) < len(one)-1 {
				t.Errorf("%d people, %s: %d numbers, then %d", people, name, len(one), len(two))
			}
		}
		for _, n := range first.numbers() {
			if v := n.value(); tellings[n.path].as == isPersons && v != nil && int64(v[0])%25 != 0 {
				t.Errorf("%d people: %s is told as %v", people, n.name, v)
			}
		}
	}
}

// A report that cannot be relied on stops the night, and one that is gone is begun anew.
func TestTheLastReportIsHeldToItsSignature(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 2)
	first := s.night(monday.AddDate(0, 0, 1))
	s.run(first)
	in, out := s.night(monday.AddDate(0, 0, 2)), first.Out
	for name, damage := range map[string]func(path string){
		"report.json is damaged": func(dir string) { flip(t, filepath.Join(dir, reportFile), 400) },
		"manifest's signature":   func(dir string) { flip(t, filepath.Join(dir, signatureFile), 150) },
		"no such file or":        func(dir string) { _ = os.Remove(filepath.Join(dir, signatureFile)) },
		"":                       func(dir string) { _ = os.Remove(filepath.Join(dir, reportFile)) },
	} {
		in.Out = copyOf(t, out)
		damage(filepath.Join(in.Out, "2026-11-03"))
		err := recalled(t, in)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// recalled reads what the last report told, as a night does.
func recalled(t *testing.T, in Inputs) error {
	t.Helper()
	n, err := begin(t.Context(), in)
	if err != nil {
		return err
	}
	defer n.end()
	_, err = n.lastTold()
	return err
}
