package profile_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/profile"
)

var update = flag.Bool("update", false, "write docs/features.md")

const featuresHead = `# Session features

Everything that is computed from a visitor's behaviour while they shop. There is no other feature: the list is
the code's own catalogue, and a test fails when the two differ. Written by ` + "`go test ./profile -update`" + `; do not edit.

Each purpose computes its features from the events that were admitted for that purpose, with the fields kept for it,
and from nothing else. Withdrawing the purpose deletes them. None of them looks at device, place or person.

## Terms

- **Session**: the events of one subject admitted for the purpose, ordered by (occurred_ms, message_key), with gaps of
  less than 30 minutes. 30 minutes after its last event a session has ended. Features are those of the running
  session; where none is running they are 0 (hour_band -1), all but those that say "past".
- **Past sessions**: the at most 5 sessions before the running one that ended less than 90 days before it began (or
  before now, if none is running).
- **Touch**: a product_viewed, variant_selected or size_guide_opened event with a product_id.
- **Product run**: the touches of one product in a session, as long as fewer than 20 other products are touched in
  between; then its counts begin anew. (A section keeps the 20 products touched last and the 10 queries made last.)
- **Units** of a line: its quantity, at least 1, at most 1,000.
- **Cart report**: a cart_viewed or checkout_started event that has items.
- **Late arrivals**: by day, an event that arrives after a later one counts at the later one's time, and one of an
  earlier session changes nothing; the night sorts first. For events in order, day and night agree.
`

func featuresPage() string {
	var b strings.Builder
	b.WriteString(featuresHead)
	family := ""
	for _, f := range profile.Catalogue() {
		if f.Family != family {
			family = f.Family
			fmt.Fprintf(&b, "\n## %s\n", strings.ToUpper(family[:1])+family[1:])
		}
		purposes := make([]string, len(f.Purposes))
		for i, p := range f.Purposes {
			purposes[i] = "`" + string(p) + "`"
		}
		fmt.Fprintf(&b, "\n### `%s`\n\n%s / %s. Unit: %s. Purposes: %s. Tags: %s.\n\n%s\n", f.Name, f.De, f.En, f.Unit, strings.Join(purposes, ", "), strings.Join(f.Tags, ", "), f.Definition)
	}
	return b.String()
}

func TestTheFeaturePageIsTheCatalogue(t *testing.T) {
	path := filepath.Join("..", "docs", "features.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(featuresPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != featuresPage() {
		t.Errorf("%s differs from the catalogue: go test ./profile -update", path)
	}
}

func TestEveryFeatureIsDocumentedInFull(t *testing.T) {
	seen, families := map[string]bool{}, map[string]bool{}
	for _, f := range profile.Catalogue() {
		if !regexp.MustCompile(`^[a-z][a-z0-9_]*$`).MatchString(f.Name) || seen[f.Name] {
			t.Errorf("name %q", f.Name)
		}
		seen[f.Name], families[f.Family] = true, true
		if f.Unit == "" || f.De == "" || f.En == "" || !strings.HasSuffix(f.Definition, ".") || len(f.Purposes) == 0 {
			t.Errorf("%s lacks words: %+v", f.Name, f)
		}
	}
	for _, family := range []string{"search", "time", "pace", "product", "basket", "checkout", "offers"} {
		if !families[family] {
			t.Errorf("no feature of family %s", family)
		}
	}
}
