package segment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
)

// write fills the run's own folder with everything but the manifest.
func (n *night) write(ctx context.Context) error {
	if err := os.RemoveAll(n.runDir()); err != nil {
		return fmt.Errorf("clearing run folder: %w", err)
	}
	if err := os.MkdirAll(n.runDir(), 0o700); err != nil {
		return fmt.Errorf("making run folder: %w", err)
	}
	if err := n.describe(ctx); err != nil {
		return err
	}
	if err := n.writeGroups(ctx); err != nil {
		return err
	}
	if err := n.writeChanges(ctx); err != nil {
		return err
	}
	if err := n.deliver(ctx); err != nil {
		return err
	}
	if err := n.writeAggregates(ctx); err != nil {
		return err
	}
	if err := n.listRecords(ctx); err != nil {
		return err
	}
	if err := n.listMembers(ctx); err != nil {
		return err
	}
	if err := n.writeReport(ctx); err != nil {
		return err
	}
	return n.writeLineage(ctx)
}

func (n *night) runDir() string { return filepath.Join(n.in.Out, n.date+tmpRun) }

// describe fills the manifest's head.
func (n *night) describe(ctx context.Context) error {
	digests := n.in.Rules.Digests()
	digests.Weights = n.weights.Version
	if n.scorecard != nil {
		digests.Scorecard = n.scorecard.Digest()
	}
	if n.gain != nil {
		digests.Gain = n.gain.Digest()
	}
	n.manifest = Manifest{
		Schema: manifestSchema, Tenant: n.snap.Tenant, AsOf: n.in.AsOf, Until: n.till, Purpose: string(basis), K: n.k,
		Digests: digests, Checkpoint: n.snap.Checkpoint, Sources: []Source{}, Suppressed: []Suppressed{},
		Created: n.pinned.Time, Expires: n.pinned.Time.Add(filesFor), Ledger: n.pinned,
	}
	for _, d := range n.snap.Days {
		n.manifest.Sources = append(n.manifest.Sources, Source{Day: d.Day, SHA256: d.SHA256, Generation: d.Generation})
	}
	t := &n.manifest.Thresholds
	for column, into := range map[string]*[]int64{
		"recency_days": &t.RecencyDays, "frequency_orders": &t.FrequencyOrders, "monetary_cents": &t.MonetaryCents,
	} {
		var text string
		if err := n.db.one(ctx, "select coalesce(to_json("+column+"), '[]')::varchar from thresholds", &text); err != nil {
			return fmt.Errorf("reading thresholds: %w", err)
		}
		if err := json.Unmarshal([]byte(text), into); err != nil {
			return fmt.Errorf("reading thresholds: %w", err)
		}
	}
	return nil
}

// writeGroups lists every segment on every channel and writes the published ones.
func (n *night) writeGroups(ctx context.Context) error {
	for _, s := range n.in.Config.Segments {
		seg := Segment{Name: s.Name, Title: s.Title, Where: strings.TrimSpace(s.Where), Channels: []Reach{}}
		query := "select if(withheld = '', counted, null), withheld from cells where segment = " + quote(s.Name)
		if err := n.db.one(ctx, query, &seg.Members, &seg.Withheld); err != nil {
			return fmt.Errorf("reading size of segment %q: %w", s.Name, err)
		}
		for _, c := range n.in.Config.Exports.Channels {
			if !s.Leaves(c.Purpose) {
				continue
			}
			r, err := n.writeGroup(ctx, seg, c)
			if err != nil {
				return err
			}
			seg.Channels = append(seg.Channels, r)
		}
		n.manifest.Segments = append(n.manifest.Segments, seg)
	}
	return nil
}

func (n *night) writeGroup(ctx context.Context, s Segment, c config.Channel) (Reach, error) {
	r := Reach{Channel: c.Name, Purpose: string(c.Purpose), Recipient: c.Recipient, Role: c.Role}
	var members, admitted, place int64
	query := fmt.Sprintf("select members, admitted, published, place from groups where segment = %s and channel = %s", quote(s.Name), quote(c.Name))
	if err := n.db.one(ctx, query, &members, &admitted, &r.Published, &place); err != nil {
		return r, fmt.Errorf("reading group %s on %s: %w", s.Name, c.Name, err)
	}
	if s.Withheld == "" {
		r.Loss = new(members - admitted)
	}
	if !r.Published {
		n.manifest.Suppressed = append(n.manifest.Suppressed, Suppressed{Segment: s.Name, Channel: c.Name})
		return r, nil
	}
	if s.Withheld == "" {
		r.Rows = &admitted
	}
	rows := fmt.Sprintf("select key from exports where channel = %s and get_bit(segments, %d) = 1", quote(c.Name), place)
	return r, n.writeRows(ctx, rows, File{
		Name: s.Name + "." + c.Name, Kind: "segment", Segment: s.Name, Channel: c.Name, Recipient: c.Recipient,
		Purpose: string(c.Purpose), Rows: admitted,
	}, fieldsOf(c))
}

// fieldSQL is where a field of a recipient's file comes from, and its type. A row key is
// shown in hex digits, which no spreadsheet takes for a formula.
var fieldSQL = map[string]struct{ source, kind string }{
	"key":     {"lower(hex(key::blob)) as key", "varchar"},
	"segment": {"segment", "varchar"},
	"as_of":   {"getvariable('as_of_day') as as_of", "date"},
	"until":   {"getvariable('until_day') as until", "date"},
	"change":  {"change", "varchar"}, // of a delta: added or removed
}

// writeRows writes rows of key, and of segment where the file is of several, as Parquet and
// from that as CSV, with the fields that the channel lists. What a field shows is made after
// rows are sorted: a number sorts faster than its text.
func (n *night) writeRows(ctx context.Context, rows string, f File, fields []string) error {
	base := f.Name
	f.Label = pseudonymous
	order := "key, segment"
	if f.Segment != "" {
		order = "key"
	}
	var shown []string
	for _, field := range fields {
		x := fieldSQL[field]
		if field == "segment" && f.Segment != "" {
			x.source = quote(f.Segment) + " as segment"
		}
		shown, f.Columns = append(shown, x.source), append(f.Columns, field+" "+x.kind)
	}
	path := filepath.Join(n.runDir(), base)
	query := fmt.Sprintf("select %s from (from (%s) order by %s)", strings.Join(shown, ", "), rows, order)
	if err := n.db.copyTo(ctx, query, path+".parquet"); err != nil {
		return err
	}
	if err := asCSV(path+".parquet", path+".csv", fields); err != nil {
		return fmt.Errorf("writing %s.csv: %w", base, err)
	}
	for _, ext := range []string{".csv", ".parquet"} {
		f.Name = base + ext
		if err := n.listFile(f, path+ext); err != nil {
			return err
		}
	}
	n.progress("files", int64(len(n.manifest.Files)), int64(len(n.manifest.Files)))
	return nil
}

// listFile adds a finished file to the manifest.
func (n *night) listFile(f File, path string) error {
	var err error
	if f.Bytes, f.SHA256, err = digestFile(path); err != nil {
		return fmt.Errorf("digesting %s: %w", f.Name, err)
	}
	n.manifest.Files = append(n.manifest.Files, f)
	return nil
}

// readManifest reads a folder's manifest; none is the zero one.
func readManifest(dir string) (m Manifest, err error) {
	body, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err != nil {
		return m, fmt.Errorf("reading the export of %s: %s: %w", filepath.Base(dir), manifestFile, err)
	}
	return m, nil
}

var errDigest = errors.New("its SHA-256 is not the manifest's")

// newest finds the last dated folder before a date that has a manifest; "" if none.
func newest(out, before string) (dir string, m Manifest, err error) {
	entries, err := os.ReadDir(out)
	if err != nil {
		return "", m, fmt.Errorf("looking for earlier exports: %w", err)
	}
	for _, e := range slices.Backward(entries) {
		if _, err := time.Parse(time.DateOnly, e.Name()); err != nil || e.Name() >= before {
			continue
		}
		dir := filepath.Join(out, e.Name())
		m, err := readManifest(dir)
		if err != nil {
			return "", m, err
		}
		if m.Schema == "" {
			continue
		}
		return dir, m, nil
	}
	return "", m, nil
}
