package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// cut makes ranges of the buckets that lie between cuts.
func cut(at ...int) (out []Buckets) {
	slices.Sort(at)
	from := 0
	for _, c := range append(slices.Compact(at), consent.Buckets) {
		if c > from {
			out = append(out, Buckets{from, c - 1})
			from = c
		}
	}
	return out
}

// cuts are ways to split a night: at random, with a bucket of one subject by itself,
// and not at all.
func cuts(seed int) [][]Buckets {
	draw := rand.New(rand.NewPCG(uint64(seed), 7))
	one := int(subject(33).Bucket())
	split := cut(1+draw.IntN(consent.Buckets-1), one, one+1, 1+draw.IntN(consent.Buckets-1))
	if seed == 0 {
		return [][]Buckets{cut(), split}
	}
	return [][]Buckets{split}
}

// parted runs a night in parts, in another order than that of their buckets, and
// merges them.
func (s *shop) parted(in Inputs, split []Buckets, threads int) Result {
	s.t.Helper()
	in.Parts = s.parts(in, split, threads)
	in.Threads = threads
	return s.run(in)
}

func (s *shop) parts(in Inputs, split []Buckets, threads int) (dirs []string) {
	s.t.Helper()
	s.snapshots++
	for _, b := range slices.Backward(split) {
		dir := filepath.Join(s.dir, fmt.Sprintf("parts-%d", s.snapshots), b.String())
		s.mkdir(filepath.Dir(dir))
		in.Threads = threads
		if err := RunPart(context.Background(), in, b, dir); err != nil {
			s.t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// beside gives the same night with folders of its own, which begin as those of
// another one are.
func (s *shop) beside(in Inputs, name string) Inputs {
	s.t.Helper()
	was := in
	in.State, in.Out = filepath.Join(s.dir, name, "night"), filepath.Join(s.dir, name, "exports")
	if _, err := os.Stat(in.State); err == nil {
		return in
	}
	s.mkdir(filepath.Join(was.State, "keys"))
	if _, err := os.Stat(filepath.Join(was.State, "keys", nightKeyFile)); err != nil {
		s.write(filepath.Join(was.State, "keys", nightKeyFile), bytes.Repeat([]byte{7}, 32))
	}
	for from, to := range map[string]string{was.State: in.State, was.Out: in.Out} {
		s.mkdir(from)
		if err := os.CopyFS(to, os.DirFS(from)); err != nil {
			s.t.Fatal(err)
		}
	}
	return in
}

// sameNight holds all that two nights left behind to be equal.
func sameNight(t *testing.T, what string, a, b Inputs, one, two Result) {
	t.Helper()
	sameTree(t, what+": exports", tree(t, a.Out), tree(t, b.Out))
	x, y := tree(t, a.State), tree(t, b.State)
	delete(y, mergedFile)
	delete(x, mergedFile)
	sameTree(t, what+": state", x, y)
	if !reflect.DeepEqual(one, two) {
		t.Errorf("%s: results differ", what)
	}
}

// lively is a shop with all that a night reads: links across buckets, restrictions,
// objections, orders, and a price that fell.
func lively(t *testing.T) *shop {
	s := newShop(t)
	s.everyday(120, 2)
	for n := range 20 { // devices of accounts that lie in other buckets
		s.subjects[subject(n)] = subjectRow{scope: consent.Device}
		s.links[subject(n)] = subject(100 + n%10)
	}
	s.subjects[subject(31)] = subjectRow{scope: consent.Account, restricted: true}
	s.subjects[subject(102)] = subjectRow{scope: consent.Account, objections: []string{consent.Profiling}}
	s.says(subject(33), consent.Withdrawn, monday.Add(20*time.Hour), basis) // the host has not let go of Monday's rows yet
	tuesday := monday.AddDate(0, 0, 1).Format(time.DateOnly)
	s.rows[tuesday] = slices.DeleteFunc(s.rows[tuesday], func(r event.Row) bool { return r.Subject == subject(33) })
	for n := range 40 {
		s.orders(subject(n), event.OrderCompleted, monday.Add(time.Duration(n)*time.Minute), int64(5000+n), event.Item{Product: "A", Quantity: 1, PriceCents: 10000})
	}
	s.products = []event.Product{{ID: "p2", Category: "tea"}}
	return s
}

func (s *shop) livelyNight(asOf time.Time) Inputs {
	in := s.night(asOf)
	in.Config.Prices.Protection = config.Protection{Days: 14, Storefront: "de", Channel: "web"}
	s.prices(in.Snapshot, fall("A", monday.Add(5*time.Hour), 10000, 8500)...)
	return in
}

// TestPartsMakeTheNightOfOneRun: whatever the split, the threads, and what happened
// between two nights, the merged night is the whole one, byte for byte.
func TestPartsMakeTheNightOfOneRun(t *testing.T) {
	for i, name := range slices.Sorted(maps.Keys(changes)) {
		t.Run(name, func(t *testing.T) {
			s := lively(t)
			splits := cuts(i)
			nights := make([]Inputs, len(splits))
			for night, day := range []int{1, 2} {
				asOf := monday.AddDate(0, 0, day)
				if night == 1 { // also somebody of whom only a case changes, and no row
					changes[name](s)
					s.subjects[subject(33)] = subjectRow{scope: consent.Account, age: "16_17"}
				}
				whole := s.livelyNight(asOf)
				for j := range splits {
					nights[j] = s.beside(whole, fmt.Sprint("split-", j))
				}
				res := s.run(whole)
				if p := res.Report.Protection.Lines; p != nil && *p == 0 || res.Members.Len() < 50 {
					t.Fatalf("the night shows too little: %d members, %+v", res.Members.Len(), res.Report.Protection)
				}
				for j, split := range splits {
					got := s.parted(nights[j], split, 1+3*((i+night)%2))
					sameNight(t, fmt.Sprintf("night %d as %v", night, split), whole, nights[j], res, got)
				}
			}
		})
	}
}

// TestPartsOfAQuietNightHoldNoDays: where nothing changed nothing is built, and the
// old files go on to count.
func TestPartsOfAQuietNightHoldNoDays(t *testing.T) {
	s := lively(t)
	s.run(s.livelyNight(monday.AddDate(0, 0, 2)))
	whole := s.livelyNight(monday.AddDate(0, 0, 2))
	in := s.beside(whole, "split")
	dirs := s.parts(in, cut(2048), 2)
	for _, dir := range dirs {
		if found, _ := filepath.Glob(filepath.Join(dir, "daily", "*")); len(found) > 0 {
			t.Errorf("%s holds %v", dir, found)
		}
	}
	in.Parts = dirs
	sameNight(t, "quiet", whole, in, s.run(whole), s.run(in))
}

// TestAPartTouchesNothing: parts run beside each other, each in a folder of its own.
func TestAPartTouchesNothing(t *testing.T) {
	s := lively(t)
	s.run(s.livelyNight(monday.AddDate(0, 0, 1)))
	in := s.livelyNight(monday.AddDate(0, 0, 2))
	before, snapshot := tree(t, in.State), tree(t, in.Snapshot)
	in.Out = filepath.Join(s.dir, "no-such-exports")
	s.parts(in, cut(100, 3000), 2)
	sameTree(t, "state", before, tree(t, in.State))
	sameTree(t, "snapshot", snapshot, tree(t, in.Snapshot))
	if _, err := os.Stat(in.Out); err == nil {
		t.Error("a part made the folder of exports")
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "parts-*", "*.unfinished")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestAMergeThatFailedCanBeRunAgain with the same parts, which its state already holds.
func TestAMergeThatFailedCanBeRunAgain(t *testing.T) {
	s := lively(t)
	whole := s.livelyNight(monday.AddDate(0, 0, 2))
	in := s.beside(whole, "split")
	in.Parts = s.parts(in, cut(1000, 2000), 2)
	failing := in
	failing.Fresh = func(context.Context, string) (bool, error) { return false, errors.New("the shop is away") }
	for range 2 {
		if _, err := Run(context.Background(), failing); err == nil || !strings.Contains(err.Error(), "the shop is away") {
			t.Fatalf("got %v", err)
		}
	}
	res := s.run(in)
	sameTree(t, "exports", func() map[string]string { s.run(whole); return tree(t, whole.Out) }(), tree(t, in.Out))
	if res.Members.Len() < 50 {
		t.Errorf("%d members", res.Members.Len())
	}
	s.run(s.beside(s.livelyNight(monday.AddDate(0, 0, 2)), "split")) // another night goes on from there
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "make it again") {
		t.Errorf("parts of an old state were taken: %v", err)
	}
}

// TestPartsThatMakeNoNightAreRefused, each with what is wrong, before anything is written.
func TestPartsThatMakeNoNightAreRefused(t *testing.T) {
	s := lively(t)
	in := s.beside(s.livelyNight(monday.AddDate(0, 0, 2)), "split")
	low, middle, high := Buckets{0, 999}, Buckets{1000, 2999}, Buckets{3000, 4095}
	made := s.parts(in, []Buckets{low, middle, high, {900, 1100}, {5, 5}}, 2)
	one, over, last, mid, first := made[0], made[1], made[2], made[3], made[4]
	other := s.parts(s.beside(s.livelyNight(monday.AddDate(0, 0, 2)), "split"), []Buckets{high}, 2)[0] // the shop wrote its snapshot anew
	configured := in
	configured.Config = settings()
	configured.Config.Retention.FeatureDays = 80
	under := s.parts(configured, []Buckets{high}, 2)[0]
	later := in
	later.Binary = "1.2.3"
	newer := s.parts(later, []Buckets{high}, 2)[0]
	damaged, unread := filepath.Join(s.dir, "damaged"), filepath.Join(s.dir, "unread")
	for _, dir := range []string{damaged, unread} {
		if err := os.CopyFS(dir, os.DirFS(last)); err != nil {
			t.Fatal(err)
		}
	}
	s.write(filepath.Join(damaged, partVerdicts), []byte("bent"))
	s.write(filepath.Join(unread, partFile), bytes.Replace(s.read(filepath.Join(unread, partFile)), []byte("3000"), []byte("2999"), 1))
	before := tree(t, in.State)
	for name, x := range map[string]struct {
		parts []string
		want  []string
	}{
		"a gap at the front":       {[]string{mid, last}, []string{"no part holds buckets 0-999, before " + mid + " (buckets 1000-2999)"}},
		"a gap in between":         {[]string{first, last}, []string{"no part holds buckets 1000-2999, before " + last + " (buckets 3000-4095)"}},
		"a gap at the end":         {[]string{first, mid}, []string{"no part holds buckets 3000-4095, after " + mid + " (buckets 1000-2999)"}},
		"two overlap":              {[]string{first, over, mid, last}, []string{"parts " + first + " (buckets 0-999) and " + over + " (buckets 900-1100) both hold buckets 900-999", "both hold buckets 1000-1100"}},
		"one within another":       {[]string{first, one, mid, last}, []string{"parts " + first + " (buckets 0-999) and " + one + " (buckets 5) both hold buckets 5"}},
		"one twice":                {[]string{first, mid, last, mid}, []string{"both hold buckets 1000-2999"}},
		"none":                     {[]string{}, []string{"there is no part"}},
		"another snapshot":         {[]string{first, mid, other}, []string{"part " + other + " (buckets 3000-4095): it was made of another snapshot"}},
		"another configuration":    {[]string{first, mid, under}, []string{"part " + under + " (buckets 3000-4095): it was made under another configuration"}},
		"another version":          {[]string{first, mid, newer}, []string{"it was made by another version of handschlag (1.2.3, this is test)"}},
		"a damaged file":           {[]string{first, mid, damaged}, []string{"part " + damaged + ": verdicts.parquet does not have the SHA-256 in part.json"}},
		"a damaged description":    {[]string{first, mid, unread}, []string{"part " + unread + ": part.json is damaged"}},
		"no part at all":           {[]string{first, mid, s.dir}, []string{"part " + s.dir + ": it has no part.json"}},
		"several things at once":   {[]string{first, under}, []string{"under another configuration", "no part holds buckets 1000-2999"}},
		"a range that is not ours": {[]string{first, mid, last, filepath.Join(s.dir, "nowhere")}, []string{"nowhere: it has no part.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			in.Parts = x.parts
			_, err := Run(context.Background(), in)
			for _, want := range x.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("want %q, got %v", want, err)
				}
			}
		})
	}
	sameTree(t, "state", before, tree(t, in.State))
	if _, err := os.Stat(filepath.Join(in.Out, "2026-11-04")); err == nil {
		t.Error("something was published")
	}
	moved := in
	moved.Parts = []string{first, mid, last}
	s.run(s.beside(s.livelyNight(monday.AddDate(0, 0, 1)), "split")) // the state goes on
	if _, err := Run(context.Background(), moved); err == nil || !strings.Contains(err.Error(), "another state of the night folder") {
		t.Errorf("got %v", err)
	}
}

func (s *shop) read(path string) []byte {
	body, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return body
}

// TestNoEventIsLostBetweenParts: one whose bucket is not its subject's would be in
// no part, and nobody would notice.
func TestNoEventIsLostBetweenParts(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	rows := s.rows[monday.Format(time.DateOnly)]
	at := slices.IndexFunc(rows, func(r event.Row) bool { return consent.Subject(r.Subject).Bucket() < 2000 })
	rows[at].Bucket = 4000
	in := s.beside(s.night(monday.AddDate(0, 0, 1)), "split")
	in.Parts = s.parts(in, cut(2048), 2)
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "in a bucket that is not their subject's") {
		t.Errorf("got %v", err)
	}
}

// TestAPartReadsTheDaysOfTheSnapshot, not what another night made of them since.
func TestAPartReadsTheDaysOfTheSnapshot(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	in := s.beside(s.night(monday.AddDate(0, 0, 1)), "split")
	parts := s.parts(in, cut(2048), 2)
	s.visit(subject(3), monday.Add(5*time.Hour), 3, 9)
	s.day(monday.Format(time.DateOnly))
	err := RunPart(context.Background(), in, Buckets{0, 4095}, filepath.Join(s.dir, "late"))
	if err == nil || !strings.Contains(err.Error(), "not what the snapshot says") {
		t.Errorf("a part: %v", err)
	}
	in.Parts = parts
	if _, err := Run(context.Background(), in); err == nil || !strings.Contains(err.Error(), "not what the snapshot says") {
		t.Errorf("the merge: %v", err)
	}
}

func TestAPartReplacesNothingElse(t *testing.T) {
	s := newShop(t)
	s.everyday(30, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	dir := filepath.Join(s.dir, "mine")
	s.mkdir(dir)
	s.write(filepath.Join(dir, "letter"), []byte("dear"))
	if err := RunPart(context.Background(), in, Buckets{0, 9}, dir); err == nil || !strings.Contains(err.Error(), "no part of a night") {
		t.Errorf("got %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "letter")); err != nil {
		t.Fatal(err)
	}
	for range 2 { // into an empty folder, then over itself, with the same bytes
		if err := RunPart(context.Background(), in, Buckets{0, 9}, dir); err != nil {
			t.Fatal(err)
		}
	}
	var p part
	if err := json.Unmarshal(s.read(filepath.Join(dir, partFile)), &p); err != nil || p.Buckets != (Buckets{0, 9}) || len(p.Days) != 1 {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestARangeOfBuckets(t *testing.T) {
	for text, want := range map[string]string{"0-4095": "0-4095", "7": "7", "7-7": "7", "0-0": "0", "4095": "4095"} {
		b, err := ParseBuckets(text)
		if err != nil || b.String() != want {
			t.Errorf("%s: got %s, %v", text, b, err)
		}
	}
	for text, why := range map[string]string{
		"": "want a range", "a-b": "want a range", "1-": "want a range", "-1": "want a range", "1-2-3": "want a range", "0x1-2": "want a range",
		"0-4096": "buckets are 0 to 4095", "4096": "buckets are 0 to 4095", "9-3": "lower bucket first", "99999-99999": "want a range",
	} {
		if _, err := ParseBuckets(text); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	for n := range 50 { // SQL and Go agree on where a subject belongs
		who := subject(n)
		at := int(who.Bucket())
		for _, b := range []Buckets{{at, at}, {0, at}, {at, 4095}, {at + 1, 4095}, {0, at - 1}} {
			if b.valid() != nil {
				continue
			}
			var in bool
			if err := scribe.one(context.Background(), "select "+b.hold(quote(who.String())+"::uuid"), &in); err != nil || in != (b.From <= at && at <= b.To) {
				t.Errorf("%s in %s: %v %v", who, b, in, err)
			}
		}
	}
}
