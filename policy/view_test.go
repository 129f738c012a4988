package policy

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// The short forms of the table say as much as the table: each case is in one block
// and in one row, which give its verdict.
func TestBlocksAndRowsExpandToEveryCase(t *testing.T) {
	made := today(t)
	blocks := made.Blocks(Narrow{})
	in, byRow := make([]uint8, CaseSpace), make([]uint8, CaseSpace)
	for i := range blocks {
		b := &blocks[i]
		for cell := range boxCases {
			v := b.verdict(cell)
			v.ID = 0
			said := string(v.canonical(nil))
			for _, k := range b.Kinds {
				for _, s := range b.States {
					n := at(k, b.Purpose, s, cell)
					in[n]++
					if is := made.verdicts[made.at[n]]; v.Keep != is.Keep || v.Allowed != is.Allowed || !slices.Equal(v.Rules, is.Rules) || !slices.Equal(v.Night, is.Night) {
						t.Fatalf("%+v: the block says %s, the table %s", caseNumbered(n), said, is.canonical(nil))
					}
				}
			}
		}
	}
	rows := 0
	if err := made.Rows(Narrow{}, func(r Row) error {
		rows++
		for cell := range boxCases {
			if !r.Box.has(cell) {
				continue
			}
			for _, k := range r.Kinds {
				for _, s := range r.States {
					n := at(k, r.Purpose, s, cell)
					byRow[n]++
					if is := made.verdicts[made.at[n]]; r.Verdict.Keep != is.Keep || !slices.Equal(r.Verdict.Rules, is.Rules) || !slices.Equal(r.Verdict.Night, is.Night) {
						t.Fatalf("%+v: the row says %s, the table %s", caseNumbered(n), r.Verdict.canonical(nil), is.canonical(nil))
					}
				}
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for n := range CaseSpace {
		if in[n] != 1 || byRow[n] != 1 {
			t.Fatalf("%+v is in %d blocks and %d rows", caseNumbered(n), in[n], byRow[n])
		}
	}
	t.Logf("%d cases in %d blocks, or %d rows", CaseSpace, len(blocks), rows)
}

// at is the number of a case by its circumstances.
func at(k event.Kind, p consent.Purpose, s CaseState, cell int) int {
	return ((int(k)*len(gatePurposes)+purposeNumber(p))*len(caseStates)+stateNumber(s))*boxCases + cell
}

func TestDifferenceNamesWhatChanged(t *testing.T) {
	ctx := context.Background()
	text, err := source("minimise")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(text, `input.purpose == "ads_third_party"
	input.gpc == true`, `input.purpose == "analytics"
	input.gpc == true`, 1)
	changed = strings.Replace(changed, `"ads_third_party": {"product_id", "category", "page_type"}`, `"ads_third_party": {"product_id", "page_type", "locale"}`, 1)
	r, err := LoadFolder(ctx, fstest.MapFS{"minimise/minimise.rego": {Data: []byte(changed)}}, Settings{}, EntryEvent)
	if err != nil {
		t.Fatal(err)
	}
	was, is := today(t), table(t, r)
	blocks, count := Diff(was, is, Narrow{})
	var again Differences
	for c := range EnumerateCases() {
		a, _ := was.Verdict(c)
		b, _ := is.Verdict(c)
		again.add(changeOf(a, b), 1)
	}
	if count != again || count.NewlyKept == 0 || count.NoLonger == 0 || count.OtherFields == 0 || count.OtherRules == 0 {
		t.Errorf("counted %+v, case by case %+v", count, again)
	}
	changes := 0
	for _, b := range blocks {
		for _, c := range b.Changes {
			changes += len(b.Kinds) * len(b.States) * c.Box.Cases()
			if b.Purpose == consent.Analytics && !slices.Equal(c.Delta.Appear, []string{"SIG-02"}) {
				t.Errorf("analytics: %+v", c.Delta)
			}
		}
		if b.Purpose != consent.Analytics && b.Purpose != consent.AdsThirdParty {
			t.Errorf("%s changed", b.Purpose)
		}
	}
	if changes+count.Same != CaseSpace {
		t.Errorf("%d changes and %d same cases make not %d", changes, count.Same, CaseSpace)
	}
	if none, count := Diff(was, was, Narrow{}); len(none) != 0 || count.Same != CaseSpace {
		t.Errorf("a table differs from itself: %+v", count)
	}
}

func TestNarrowedTableHasOneKindAndPurpose(t *testing.T) {
	made := today(t)
	kind, ok := KindNamed("product_viewed")
	p, known := GatePurpose("analytics")
	if !ok || !known {
		t.Fatal("product_viewed or analytics is not known")
	}
	n := 0
	for _, b := range made.Blocks(Narrow{Kind: &kind, Purpose: p}) {
		n += b.Cases()
		if len(b.Kinds) != 1 || b.Purpose != p {
			t.Errorf("%v for %s", b.Kinds, b.Purpose)
		}
	}
	if n != pageSize {
		t.Errorf("%d cases, want %d", n, pageSize)
	}
	if _, ok := KindNamed("odd"); ok {
		t.Error("there is a kind odd")
	}
	if _, ok := GatePurpose("explore"); ok {
		t.Error("there is a purpose explore")
	}
}
