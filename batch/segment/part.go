package segment

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// Files of a part beside its daily rows.
const (
	partFile     = "part.json"
	partSchema   = "handschlag.night-part/1"
	partOrders   = "orders.parquet"
	partVerdicts = "verdicts.parquet"
)

// part is part.json: what a part of a night was made of, and what it holds. Parts
// that agree on all of it but the buckets make one night.
type part struct {
	Schema  string            `json:"schema"`
	Buckets Buckets           `json:"buckets"`
	From    partOf            `json:"made_of"`
	Days    []partDay         `json:"days"`
	Files   map[string]string `json:"files"` // SHA-256 by path within the part
	Sum     string            `json:"sum"`   // SHA-256 of this file with an empty sum

	dir string
}

// partOf is all that decides what a part holds, beside its buckets.
type partOf struct {
	AsOf     time.Time      `json:"as_of"`
	Snapshot string         `json:"snapshot"` // SHA-256 of what the snapshot holds
	State    string         `json:"state"`    // SHA-256 of the state.json that it goes on from; "" for none
	Code     string         `json:"code"`     // SHA-256 of the SQL
	Binary   string         `json:"binary"`
	Config   string         `json:"config"`
	Rules    decide.Digests `json:"rules"`
}

// partDay is one ingest day of a part.
type partDay struct {
	Day        string `json:"day"`
	Generation int64  `json:"generation"`
	File       string `json:"file,omitempty"`   // "": the rows of the state still hold
	Events     *int64 `json:"events,omitempty"` // read for it; null if not all of the buckets' were
}

// RunPart does the part of a night that reads days of events, for the subjects of
// some buckets, and writes it into a folder that Inputs.Parts of the night names. It
// writes nothing else: parts run beside each other on one snapshot and state, on one
// machine or many. What was in the folder must be an earlier part, or nothing.
//
// A part holds pseudonyms, as the snapshot does; whoever had it made removes it.
func RunPart(ctx context.Context, in Inputs, b Buckets, out string) error {
	if err := errors.Join(b.valid(), vacant(out)); err != nil {
		return fmt.Errorf("starting a part of the night: %w", err)
	}
	n, err := start(in)
	if err != nil {
		return err
	}
	n.part, n.rows = &b, out+".unfinished"
	if err := errors.Join(os.RemoveAll(n.rows), os.MkdirAll(n.rows, 0o700)); err != nil {
		return fmt.Errorf("starting a part of the night: %w", err)
	}
	defer func() { _ = os.RemoveAll(n.rows) }()
	spill := filepath.Join(n.rows, "spill")
	if n.db, err = openWarehouse(ctx, spill, in.MemoryMB, in.Threads); err != nil {
		return err
	}
	p := part{Schema: partSchema, Buckets: b, Files: map[string]string{}, dir: n.rows}
	for i, s := range []step{
		{"checking segments", (*night).prepare},
		{"reading snapshot", (*night).load},
		{"building days", func(n *night, ctx context.Context) error { return n.buildPart(ctx, &p) }},
		{"listing orders", func(n *night, ctx context.Context) error { return n.writeOrders(ctx, &p) }},
	} {
		n.progress(s.name, int64(i), 4)
		if err = ctx.Err(); err == nil {
			err = s.do(n, ctx)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", s.name, err)
			break
		}
	}
	n.db.close()
	if err = errors.Join(err, os.RemoveAll(spill)); err != nil {
		return err
	}
	if p.From, err = n.madeOf(); err != nil {
		return err
	}
	return p.finish(out)
}

// vacant refuses a folder that holds something else.
func vacant(out string) error {
	if _, err := os.Stat(filepath.Join(out, partFile)); err == nil {
		return nil
	}
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	return errors.Join(fmt.Errorf("%s is there already, and no part of a night", out), err)
}

// buildPart writes the daily rows of the part's subjects, and the verdicts that
// they rest on.
func (n *night) buildPart(ctx context.Context, p *part) error {
	err := n.build(ctx, func(ctx context.Context, w work) (stateDay, error) {
		d, err := n.oneDay(ctx, w)
		if err != nil {
			return d, err
		}
		day := partDay{Day: d.Day, Generation: d.Generation}
		if w.before == nil || d != *w.before {
			day.File = filepath.ToSlash(d.File)
			err = p.add(d.File)
		}
		if w.before == nil && w.day.Path != "" && err == nil {
			events := n.events
			day.Events = &events
		}
		p.Days = append(p.Days, day)
		return d, err
	})
	if err != nil {
		return err
	}
	if err := n.db.copyTo(ctx, remembered["verdicts"], filepath.Join(p.dir, partVerdicts)); err != nil {
		return err
	}
	return p.add(partVerdicts)
}

// writeOrders writes the orders that price-drop protection looks at.
func (n *night) writeOrders(ctx context.Context, p *part) error {
	if err := n.priceTables(ctx); err != nil {
		return err
	}
	if err := n.ordersProtected(ctx); err != nil {
		return err
	}
	if err := n.db.copyTo(ctx, "select * from orders_protected order by all", filepath.Join(p.dir, partOrders)); err != nil {
		return err
	}
	return p.add(partOrders)
}

// add lists a finished file.
func (p *part) add(file string) error {
	_, sum, err := digestFile(filepath.Join(p.dir, file))
	if err != nil {
		return fmt.Errorf("digesting %s: %w", file, err)
	}
	p.Files[filepath.ToSlash(file)] = sum
	return nil
}

// finish writes part.json and shows the folder under its name.
func (p *part) finish(out string) error {
	body, err := p.seal()
	if err != nil {
		return fmt.Errorf("writing %s: %w", partFile, err)
	}
	if err := writeFile(filepath.Join(p.dir, partFile), body, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", partFile, err)
	}
	if err := errors.Join(syncFolder(p.dir), os.RemoveAll(out), os.Rename(p.dir, out), syncFolder(filepath.Dir(out))); err != nil {
		return fmt.Errorf("showing the part: %w", err)
	}
	return nil
}

// seal gives part.json with its own SHA-256 in it.
func (p *part) seal() ([]byte, error) {
	return withSum(&p.Sum, func() ([]byte, error) { return json.MarshalIndent(p, "", "  ") })
}

// readPart reads a part and holds every file of it against its SHA-256.
func readPart(dir string) (part, error) {
	p := part{dir: dir}
	body, err := os.ReadFile(filepath.Join(dir, partFile))
	if errors.Is(err, os.ErrNotExist) {
		return p, fmt.Errorf("part %s: it has no %s, so it is none, or unfinished", dir, partFile)
	}
	if err == nil {
		err = json.Unmarshal(body, &p)
	}
	if err != nil {
		return p, fmt.Errorf("part %s: reading %s: %w", dir, partFile, err)
	}
	said := p.Sum
	if whole, err := p.seal(); err != nil || p.Schema != partSchema || p.Sum != said || !bytes.Equal(whole, body) || p.Buckets.valid() != nil {
		return p, fmt.Errorf("part %s: %s is damaged, or of another version", dir, partFile)
	}
	for _, file := range slices.Sorted(maps.Keys(p.Files)) {
		if _, sum, err := digestFile(filepath.Join(dir, filepath.FromSlash(file))); err != nil || sum != p.Files[file] {
			return p, errors.Join(fmt.Errorf("part %s: %s does not have the SHA-256 in %s", dir, file, partFile), err)
		}
	}
	return p, nil
}

// madeOf says what this night, or part of one, goes on from.
func (n *night) madeOf() (partOf, error) {
	of := partOf{AsOf: n.in.AsOf, Binary: n.in.Binary, Config: n.in.Config.Digest(), Rules: n.in.Rules.Digests()}
	var err error
	if of.Snapshot, err = n.snap.digest(n.in.Snapshot); err != nil {
		return of, fmt.Errorf("digesting the snapshot: %w", err)
	}
	if of.State, err = digestOf(filepath.Join(n.in.State, "state.json")); err != nil {
		return of, fmt.Errorf("digesting the night's state: %w", err)
	}
	of.Code, err = sqlDigest()
	return of, err
}

// digestOf is a file's hex SHA-256, "" if there is none.
func digestOf(path string) (string, error) {
	_, sum, err := digestFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	}
	return sum, err
}

// snapshotFiles are what a snapshot holds beside snapshot.json.
var snapshotFiles = []string{
	"cases.ndjson", "counters.ndjson", "decisions.ndjson", "links.parquet", "prices.parquet", "products.parquet", "standings.parquet", "subjects.parquet",
}

// digest names what a snapshot holds, wherever it and its days lie.
func (s snapshot) digest(dir string) (string, error) {
	s.Days = slices.Clone(s.Days)
	for i := range s.Days {
		s.Days[i].Path = ""
	}
	sums := map[string]string{}
	for _, name := range snapshotFiles {
		var err error
		if sums[name], err = digestOf(filepath.Join(dir, name)); err != nil {
			return "", err
		}
	}
	body, err := json.Marshal(struct {
		snapshot
		Files map[string]string
	}{s, sums})
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), err
}

// sqlDigest changes with any SQL of the night.
func sqlDigest() (string, error) {
	files, err := tables.ReadDir("sql")
	if err != nil {
		return "", fmt.Errorf("digesting SQL: %w", err)
	}
	h := sha256.New()
	for _, f := range files {
		body, err := tables.ReadFile("sql/" + f.Name())
		if err != nil {
			return "", fmt.Errorf("digesting SQL: %w", err)
		}
		fmt.Fprintf(h, "%s\x00%d\x00%s", f.Name(), len(body), body)
	}
	rows, err := codeDigest()
	if err != nil {
		return "", err
	}
	fmt.Fprintf(h, "rows\x00%s", rows)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// untouched refuses days that are not what the snapshot says any more: parts of
// different bytes are parts of no night.
func (n *night) untouched(paths []string) error {
	if n.part == nil && n.parts == nil {
		return nil
	}
	for _, path := range paths {
		i := slices.IndexFunc(n.snap.Days, func(d eventDay) bool { return d.Path == path })
		switch _, sum, err := digestFile(path); {
		case err != nil:
			return fmt.Errorf("reading events: %w", err)
		case i < 0 || sum != n.snap.Days[i].SHA256:
			return fmt.Errorf("%s is not what the snapshot says: another night rewrote it; begin with a new snapshot", path)
		}
	}
	return nil
}
