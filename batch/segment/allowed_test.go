package segment

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

var update = flag.Bool("update", false, "write golden files and docs/columns.md")

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || got != string(want) {
		t.Errorf("%s differs (go test ./batch/segment -update): %v\n%s", path, err, got)
	}
}

// TestEveryMistakeInASegmentIsReportedAtItsPlace: all of a file at once, in the
// order of the file, with line and column.
func TestEveryMistakeInASegmentIsReportedAtItsPlace(t *testing.T) {
	yaml, err := os.ReadFile(filepath.Join("testdata", "segments.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Parse(yaml)
	if err != nil {
		t.Fatal(err)
	}
	odd, err := Validate(context.Background(), c)
	var wrong config.Errors
	if !errors.As(err, &wrong) {
		t.Fatalf("got %v", err)
	}
	for _, p := range append(slices.Clone(wrong), odd...) {
		if p.Line < 1 || p.Column < 1 {
			t.Errorf("no place: %s", p)
		}
	}
	golden(t, filepath.Join("testdata", "segments.txt"), "wrong\n"+wrong.Error()+"\n\nodd\n"+odd.Error()+"\n")
}

// TestAColumnIsUsedForWhatItsFieldsAreKeptFor: a purpose that keeps events keeps the
// fields that the column is made of (LAW-06); no column steers a price.
func TestAColumnIsUsedForWhatItsFieldsAreKeptFor(t *testing.T) {
	kept := map[consent.Purpose]event.FieldSet{}
	for _, p := range []consent.Purpose{consent.Analytics, consent.Experimentation, consent.PersonalisationContent, consent.AdviserAssist, consent.AdsThirdParty, consent.ModelTraining} {
		v, err := rules.Event(context.Background(), policy.EventCase{Purpose: p, State: "given", Stamp: "yes", Kind: event.ProductViewed, Tag: "none"})
		if err != nil || !v.Allowed {
			t.Fatalf("%s: %+v %v", p, v, err)
		}
		kept[p] = v.Keep
	}
	for _, c := range Columns {
		f, ok := families[c.Family]
		if !ok {
			t.Errorf("%s has no family", c.Name)
		}
		if slices.Contains(f.purposes, consent.PersonalisedPrice) || !slices.Contains(f.purposes, basis) {
			t.Errorf("%s is for %v", c.Name, f.purposes)
		}
		for _, p := range f.purposes {
			fields, keeps := kept[p]
			for _, name := range f.needs {
				field, named := event.FieldNamed(name)
				if !named {
					t.Fatalf("events have no field %s", name)
				}
				if keeps && !fields.Has(field) {
					t.Errorf("%s is made of %s, which %s does not keep", c.Name, name, p)
				}
			}
		}
	}
}

// TestTheTagsThatNoSegmentFollowsAreThoseOfTheRules: package standing says them.
func TestTheTagsThatNoSegmentFollowsAreThoseOfTheRules(t *testing.T) {
	rego, err := os.ReadFile(filepath.Join("..", "..", "policy", "standing", "standing.rego"))
	if err != nil {
		t.Fatal(err)
	}
	for name, ours := range map[string][]string{"proxies": proxies, "weaknesses": weaknesses} {
		_, after, ok := strings.Cut(string(rego), "\n"+name+" := {")
		body, _, closed := strings.Cut(after, "}")
		if !ok || !closed {
			t.Fatalf("standing has no %s", name)
		}
		theirs := regexp.MustCompile(`[a-z]+`).FindAllString(body, -1)
		if slices.Sort(theirs); !slices.Equal(theirs, slices.Sorted(slices.Values(ours))) {
			t.Errorf("%s: the rules have %v, we %v", name, theirs, ours)
		}
	}
}
