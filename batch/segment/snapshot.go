package segment

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
)

// snapshot is snapshot.json: what a host says of the folder that it wrote.
type snapshot struct {
	Through    time.Time  `json:"through"`
	Taken      time.Time  `json:"taken"`
	Days       []eventDay `json:"days"`
	Checkpoint string     `json:"checkpoint"`
	Tenant     string     `json:"tenant"`
	Decided    string     `json:"oldest_decision"` // day of the oldest that the host keeps; "": not said
}

// eventDay is one closed ingest day. Generation rises when the host rewrites it.
type eventDay struct {
	Day        string `json:"day"`
	Path       string `json:"path"`
	Rows       int64  `json:"rows"`
	SHA256     string `json:"sha256"`
	Generation int64  `json:"generation"`
}

// readSnapshot reads snapshot.json and keeps the days before asOf, in order.
func readSnapshot(dir string, asOf time.Time) (snapshot, error) {
	var s snapshot
	body, err := os.ReadFile(filepath.Join(dir, "snapshot.json"))
	if err != nil {
		return s, fmt.Errorf("reading snapshot: %w", err)
	}
	if err := json.Unmarshal(body, &s); err != nil {
		return s, fmt.Errorf("reading snapshot.json: %w", err)
	}
	if s.Through.Before(asOf) {
		return s, fmt.Errorf("reading snapshot: it ends at %s, the night is as of %s",
			s.Through.UTC().Format(time.RFC3339), asOf.Format(time.RFC3339))
	}
	before := asOf.Format(time.DateOnly)
	s.Days = slices.DeleteFunc(s.Days, func(d eventDay) bool { return d.Day >= before })
	slices.SortFunc(s.Days, func(a, b eventDay) int { return cmp.Compare(a.Day, b.Day) })
	for i, d := range s.Days {
		if _, err := time.Parse(time.DateOnly, d.Day); err != nil {
			return s, fmt.Errorf("reading snapshot.json: day %q: %w", d.Day, err)
		}
		if i > 0 && s.Days[i-1].Day == d.Day {
			return s, fmt.Errorf("reading snapshot.json: day %s is named twice", d.Day)
		}
	}
	return s, nil
}

// load makes the tables that every step reads: the snapshot's standings, subjects, links and products, and the cases of the day.
func (n *night) load(ctx context.Context) error {
	for _, t := range []string{"links", "products"} {
		if err := n.fromParquet(ctx, n.in.Snapshot, t); err != nil {
			return err
		}
	}
	if err := n.consents(ctx, n.in.Snapshot); err != nil {
		return err
	}
	if err := n.categoryTags(ctx); err != nil {
		return err
	}
	if err := n.db.table(ctx, "product_tags"); err != nil {
		return err
	}
	return n.ingestCases(ctx)
}

// consents reads standings and subjects of a folder and folds them.
func (n *night) consents(ctx context.Context, dir string) error {
	if err := n.showConsents(ctx, dir); err != nil {
		return err
	}
	if err := n.db.filed(ctx, "own_standings"); err != nil { // as a table it would be most of what is in memory
		return err
	}
	for _, t := range append(folded[1:], "objectors") {
		if err := n.db.table(ctx, t); err != nil {
			return err
		}
	}
	return nil
}

// folded are the tables that standings, subjects and links are folded into, of which each
// tells of a subject what rests on its own rows and those of its account.
var folded = []string{"own_standings", "standings_now", "subjects_now", "persons", "signatures"}

// showConsents makes views of the files of a folder.
func (n *night) showConsents(ctx context.Context, dir string) error {
	for name, unsaid := range consentFiles {
		if err := n.showConsent(ctx, dir, name, unsaid); err != nil {
			return err
		}
	}
	return nil
}

// consentFiles are the files of consent, and what stands in them where hosts of earlier
// versions write nothing: without the notice of a grant and the confirmation of its
// address nothing rests on them.
var consentFiles = map[string]string{
	"standings": "coalesce(notice, '') as notice, coalesce(doi_confirmed, false) as doi_confirmed, coalesce(lifts, false) as lifts",
	"subjects":  "coalesce(objections, if(objected, ['direct_marketing'], [])) as objections, coalesce(suppressed, []) as suppressed",
}

// showConsent makes a view of a file of consent, which stays where it is until the night
// has ended: as a table it would take more memory than what is made of it.
func (n *night) showConsent(ctx context.Context, dir, name, unsaid string) error {
	path := filepath.Join(dir, name+".parquet")
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("reading snapshot: %w", err)
	}
	query := fmt.Sprintf("create or replace view %s as select * replace (%s) from (from no_%[1]s union all by name from read_parquet(%[3]s)) where %[4]s",
		name, unsaid, quote(path), n.part.rowsOf(name))
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("reading %s.parquet of the snapshot: %w", name, err)
	}
	return nil
}

// fromParquet copies a file of the snapshot into a table of the same name.
func (n *night) fromParquet(ctx context.Context, dir, table string) error {
	path := filepath.Join(dir, table+".parquet")
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("reading snapshot: %w", err)
	}
	query := fmt.Sprintf("create or replace table %s as select * from read_parquet(%s) where %s", table, quote(path), n.part.rowsOf(table))
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("reading %s.parquet of the snapshot: %w", table, err)
	}
	return nil
}

// reaches name where a purpose's decision counts.
var reaches = map[consent.Reach]string{consent.OnDevice: "device", consent.OnAccount: "account", consent.OnEither: "either"}

// closedLists makes table purposes and the variables that SQL files read.
func (n *night) closedLists(ctx context.Context) error {
	if err := n.readRegister(ctx); err != nil {
		return err
	}
	// A grant must hold when the ledger was read, not only at the midnight before (BAT-01, CON-12).
	read := n.in.AsOf
	if n.snap.Taken.After(read) {
		read = n.snap.Taken
	}
	vars := map[string]string{
		"read_ms":            strconv.FormatInt(read.UnixMilli(), 10) + "::bigint",
		"as_of_day":          "date " + quote(n.date),
		"until_day":          "date " + quote(n.till.Format(time.DateOnly)),
		"k":                  strconv.Itoa(n.k) + "::bigint",
		"special_categories": list(consent.SpecialCategories),
		"kinds":              kinds(),
		"exports_off":        "false",
		"basis":              quote(string(basis)),
	}
	for name, value := range vars {
		if err := n.db.set(ctx, name, value); err != nil {
			return err
		}
	}
	if err := n.db.exec(ctx, "create or replace table purposes (purpose varchar, bit integer, reach varchar, special integer, medium varchar, profiles boolean, runs boolean)"); err != nil {
		return fmt.Errorf("making table purposes: %w", err)
	}
	return n.db.fill("purposes", func(add func(...any) error) error {
		for _, p := range consent.Purposes {
			if err := add(string(p), int32(p.Bit()), reaches[p.Reach()], int32(specialIndex(p)), p.Channel(), p.Profiles(), n.runs(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// kinds writes the numbers of the event kinds as a struct, so that SQL can name them.
func kinds() string {
	parts := make([]string, len(event.Kinds))
	for i, k := range event.Kinds {
		parts[i] = fmt.Sprintf("%q: %d", k.String(), int(k))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// specialIndex is the place of the purpose's category in the list of SPC-01, or -1.
func specialIndex(p consent.Purpose) int {
	return slices.IndexFunc(consent.SpecialCategories, func(tag string) bool { return p == consent.SpecialCategory(tag) })
}

// categoryTags makes the table of the categories that the configuration calls sensitive.
func (n *night) categoryTags(ctx context.Context) error {
	if err := n.db.exec(ctx, "create or replace table category_tags (category varchar, tags bigint)"); err != nil {
		return fmt.Errorf("making table category_tags: %w", err)
	}
	return n.db.fill("category_tags", func(add func(...any) error) error {
		for category, tag := range n.in.Config.Sensitive {
			at := slices.Index(consent.SpecialCategories, tag)
			if at < 0 {
				return fmt.Errorf("category %q has the unknown tag %q", category, tag)
			}
			if err := add(category, int64(1)<<at); err != nil {
				return err
			}
		}
		return nil
	})
}

// ingestCases reads cases.ndjson into memory and into table ingest_cases.
func (n *night) ingestCases(ctx context.Context) error {
	n.cases = map[int64]policy.EventCase{}
	err := eachLine(filepath.Join(n.in.Snapshot, "cases.ndjson"), func(line []byte) error {
		var row struct {
			ID   string          `json:"id"`
			Case json.RawMessage `json:"case"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		id, err := strconv.ParseUint(row.ID, 10, 64)
		if err != nil {
			return err
		}
		c, err := policy.ParseCase(row.Case)
		if err != nil {
			return err
		}
		n.cases[int64(id)] = c
		return nil
	})
	if err != nil {
		return err
	}
	if err := n.db.exec(ctx, "create or replace table ingest_cases (case_id bigint, tag varchar, age varchar, gpc boolean, dnt boolean)"); err != nil {
		return fmt.Errorf("making table ingest_cases: %w", err)
	}
	return n.db.fill("ingest_cases", func(add func(...any) error) error {
		for id, c := range n.cases {
			if err := add(id, string(c.Tag), c.Age, c.GPC, c.DNT); err != nil {
				return err
			}
		}
		return nil
	})
}

// eachLine calls f with every line of a file that holds one JSON value a line, which f
// must not keep. A missing file has no lines.
func eachLine(path string, f func([]byte) error) error {
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 1<<16), math.MaxInt)
	for number := 1; lines.Scan(); number++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		if err := f(lines.Bytes()); err != nil {
			return fmt.Errorf("reading %s, line %d: %w", filepath.Base(path), number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("reading %s: %w", filepath.Base(path), err)
	}
	return nil
}
