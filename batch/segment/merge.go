package segment

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/handschlag/handschlag/consent"
)

// mergedFile says of which parts state.json was made, so that a night that failed
// after it took them in can be run again with the same ones.
const mergedFile = "merged.json"

type merged struct {
	State string `json:"state"` // SHA-256 of state.json
	Parts string `json:"parts"` // SHA-256 of the parts' own, in the order of their buckets
}

// openParts reads the parts that the inputs name, and refuses those that do not make
// one night: all that is wrong, a line each.
func (n *night) openParts() error {
	if n.in.Parts == nil {
		return nil
	}
	of, err := n.madeOf()
	if err != nil {
		return err
	}
	var wrong []error
	for _, dir := range n.in.Parts {
		p, err := readPart(dir)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		n.parts = append(n.parts, p)
	}
	slices.SortStableFunc(n.parts, func(a, b part) int { return cmp.Compare(a.Buckets.From, b.Buckets.From) })
	n.joined = n.takenIn(of.State)
	for _, p := range n.parts {
		if why := p.differs(of, n.joined); why != "" {
			wrong = append(wrong, fmt.Errorf("part %s (buckets %s): %s", p.dir, p.Buckets, why))
		}
	}
	if len(n.parts) == len(n.in.Parts) {
		wrong = append(wrong, cover(n.parts)...)
	}
	return errors.Join(wrong...)
}

// differs says why a part is none of the night.
func (p part) differs(of partOf, joined bool) string {
	switch {
	case !p.From.AsOf.Equal(of.AsOf):
		return "it is as of " + p.From.AsOf.Format("2006-01-02") + ", the night as of " + of.AsOf.Format("2006-01-02")
	case p.From.Snapshot != of.Snapshot:
		return "it was made of another snapshot"
	case p.From.Config != of.Config:
		return "it was made under another configuration"
	case p.From.Rules != of.Rules:
		return "it was made under other rules"
	case p.From.Code != of.Code || p.From.Binary != of.Binary:
		return fmt.Sprintf("it was made by another version of handschlag (%s, this is %s)", p.From.Binary, of.Binary)
	case p.From.State != of.State && !joined:
		return "it goes on from another state of the night folder: make it again"
	}
	return ""
}

// cover says which buckets no part holds, and which two do.
func cover(parts []part) (wrong []error) {
	next, last := 0, ""
	for _, p := range parts {
		name := fmt.Sprintf("%s (buckets %s)", p.dir, p.Buckets)
		switch from := p.Buckets.From; {
		case from > next:
			wrong = append(wrong, fmt.Errorf("no part holds buckets %s, before %s", Buckets{next, from - 1}, name))
		case from < next:
			wrong = append(wrong, fmt.Errorf("parts %s and %s both hold buckets %s", last, name, Buckets{from, min(p.Buckets.To, next-1)}))
		}
		if p.Buckets.To >= next {
			next, last = p.Buckets.To+1, name
		}
	}
	switch {
	case next == 0:
		wrong = append(wrong, errors.New("there is no part"))
	case next < consent.Buckets:
		wrong = append(wrong, fmt.Errorf("no part holds buckets %s, after %s", Buckets{next, consent.Buckets - 1}, last))
	}
	return wrong
}

// takenIn reports that the state that counts was made of these very parts.
func (n *night) takenIn(state string) bool {
	var m merged
	body, err := os.ReadFile(filepath.Join(n.in.State, mergedFile))
	return err == nil && json.Unmarshal(body, &m) == nil && m == merged{state, digestParts(n.parts)}
}

func digestParts(parts []part) string {
	h := sha256.New()
	for _, p := range parts {
		_, _ = h.Write([]byte(p.Sum + "\n"))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// noteMerged remembers of which parts the state was made.
func (n *night) noteMerged() error {
	state, err := digestOf(filepath.Join(n.in.State, "state.json"))
	if err != nil {
		return fmt.Errorf("noting which parts were taken in: %w", err)
	}
	body, err := json.Marshal(merged{state, digestParts(n.parts)})
	if err == nil {
		err = replaceFile(filepath.Join(n.in.State, mergedFile), append(body, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting which parts were taken in: %w", err)
	}
	return nil
}

// partFiles are the parts' files of a name.
func (n *night) partFiles(name string) (paths []string) {
	for _, p := range n.parts {
		paths = append(paths, filepath.Join(p.dir, name))
	}
	return paths
}

// combine makes of the parts' daily rows and verdicts what one run would have built.
func (n *night) combine(ctx context.Context) error {
	i := -1
	err := n.build(ctx, func(ctx context.Context, w work) (stateDay, error) { i++; return n.joinDay(ctx, i, w) })
	if err != nil {
		return err
	}
	for _, p := range n.parts {
		if len(p.Days) != len(n.is.Days) {
			return fmt.Errorf("part %s (buckets %s) has %d days, the night %d", p.dir, p.Buckets, len(p.Days), len(n.is.Days))
		}
	}
	query := `insert into verdicts select distinct case_id, state, tag, age, allowed, keep from read_parquet(` + list(n.partFiles(partVerdicts)) + `)
		where (case_id, state, tag, age) not in (select case_id, state, tag, age from verdicts)`
	if err := n.db.exec(ctx, query); err != nil {
		return fmt.Errorf("reading verdicts of the parts: %w", err)
	}
	if err := n.remember(ctx); err != nil {
		return err
	}
	return n.noteMerged()
}

// joinDay gives the file of a day's rows: of each part its own, or those of the
// state where nothing changed for its subjects. The old file counts if no part has
// anything new.
func (n *night) joinDay(ctx context.Context, i int, w work) (stateDay, error) {
	var rows []func(*dayFile) error
	built := 0
	seen, whole := int64(0), true
	for _, p := range n.parts {
		if i >= len(p.Days) || p.Days[i].Day != w.day.Day || p.Days[i].Generation != w.day.Generation || p.Days[i].File == "" && w.before == nil {
			return stateDay{}, fmt.Errorf("part %s (buckets %s) does not hold the day", p.dir, p.Buckets)
		}
		d := p.Days[i]
		if whole = whole && d.Events != nil; whole {
			seen += *d.Events
		}
		if d.File == "" {
			rows = append(rows, copyRows(filepath.Join(n.in.State, w.before.File), &p.Buckets))
			continue
		}
		path := filepath.Join(p.dir, filepath.FromSlash(d.File))
		if err := n.ofTheirBuckets(ctx, p, path); err != nil {
			return stateDay{}, err
		}
		rows = append(rows, copyRows(path, nil))
		built++
	}
	switch {
	case built == 0:
		return *w.before, nil
	case whole && seen != w.day.Rows:
		return stateDay{}, fmt.Errorf("the parts read %d events together, the snapshot has %d: some lie in a bucket that is not their subject's", seen, w.day.Rows)
	}
	return n.writeDay(w, func(out *dayFile) error { // parts are in the order of their buckets
		for _, fill := range rows {
			if err := fill(out); err != nil {
				return err
			}
		}
		return nil
	})
}

// copyRows adds the rows of a file that are of some buckets.
func copyRows(path string, of *Buckets) func(*dayFile) error {
	return func(out *dayFile) error {
		return eachRecord(path, func(r dayRecord) error {
			if !of.holds(r.Subject) {
				return nil
			}
			return out.copy(r)
		})
	}
}

// ofTheirBuckets refuses rows of subjects that are none of the part's.
func (n *night) ofTheirBuckets(ctx context.Context, p part, path string) error {
	var strange int64
	query := fmt.Sprintf("select count(*) from read_parquet(%s) where not (%s)", quote(path), p.Buckets.hold("subject"))
	if err := n.db.one(ctx, query, &strange); err != nil {
		return fmt.Errorf("reading rows of a part: %w", err)
	}
	if strange > 0 {
		return fmt.Errorf("part %s (buckets %s): %d rows are of subjects in other buckets", p.dir, p.Buckets, strange)
	}
	return nil
}
