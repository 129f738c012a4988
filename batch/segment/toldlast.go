package segment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lastTold reads what the last report told: an earlier run's of this date, which readers know
// too, or else the last night's. A night without a report, or whose report is gone, tells
// everything anew.
func (n *night) lastTold() (memory, error) {
	dir := filepath.Join(n.in.Out, n.date)
	m, err := readManifest(dir)
	if err == nil && m.Schema == "" {
		dir, m, err = newest(n.in.Out, n.date)
	}
	if err != nil || m.Schema == "" {
		return memory{}, err
	}
	r, err := n.readReport(dir)
	if err != nil {
		return memory{}, fmt.Errorf("reading the report of %s: %w", filepath.Base(dir), err)
	}
	return r.memory(), nil
}

// readReport reads a published report, held to its manifest, and that to its signature;
// nil if it is not there.
func (n *night) readReport(dir string) (*Report, error) {
	body, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if err != nil {
		return nil, err
	}
	signature, err := os.ReadFile(filepath.Join(dir, signatureFile))
	if err != nil {
		return nil, err
	}
	_, public, err := n.keys.signer(n.snap.Tenant)
	if err != nil {
		return nil, err
	}
	m, _, err := OpenManifest(filepath.Base(dir), body, signature, public)
	if err != nil { // the night's key may be new
		m, err = n.openedByFile(filepath.Base(dir), body, signature)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: put it back, or take the folder away, and the next report tells its numbers anew", err)
	}
	for _, f := range m.Files {
		if f.Name == reportFile {
			return readReport(filepath.Join(dir, f.Name), f.SHA256)
		}
	}
	return nil, nil
}

// openedByFile opens a manifest by the key beside the exports, which the last night left.
func (n *night) openedByFile(date string, body, signature []byte) (Manifest, error) {
	public, err := os.ReadFile(filepath.Join(n.in.Out, verifierFile))
	if err != nil {
		return Manifest{}, err
	}
	m, _, err := OpenManifest(date, body, signature, string(public))
	return m, err
}

const reportFile = "report.json"

func readReport(path, want string) (*Report, error) {
	_, sum, err := digestFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil || sum != want {
		return nil, fmt.Errorf("%s is damaged: %w", filepath.Base(path), errors.Join(errDigest, err))
	}
	body, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r Report
	return &r, json.Unmarshal(body, &r)
}

// memory is what a report told of persons, and what reports before it told of numbers that it
// does not tell. Those of earlier versions are exact.
func (r *Report) memory() memory {
	if r == nil {
		return memory{}
	}
	m := memory{
		date: r.AsOf.Format(time.DateOnly), step: max(1, r.Step), k: int64(r.K),
		told: r.tells(), since: map[string]string{}, last: r,
	}
	for _, b := range r.ToldBefore {
		m.told[b.Name], m.since[b.Name] = b.Told, b.Date
	}
	return m
}

// tells are the numbers of persons and figures as they stand in the report.
func (r *Report) tells() map[string][]float64 {
	told := map[string][]float64{}
	for _, n := range r.numbers() {
		switch tellings[n.path].as {
		case isPersons, isFigure, isShare, isCut:
			told[n.name] = n.value()
		}
	}
	return told
}

// tell brings the report's numbers to what is told of them, and the manifest's with them.
func (n *night) tell(context.Context) error {
	m, err := n.lastTold()
	if err != nil {
		return err
	}
	t := &teller{memory: m, now: int64(n.k), night: n.date, told: map[string]*int64{}, again: map[string]bool{}}
	n.report.Step = t.now
	if err := n.tellDay(); err != nil {
		return err
	}
	if err := t.tellNumbers(&n.report); err != nil {
		return err
	}
	n.report.shorten(t)
	t.remembered(&n.report, n.featureDays)
	for i, s := range n.report.Segments { // as the manifest has them
		if s.Members == nil && s.Withheld == "" {
			n.report.Segments[i].Withheld = "under_k"
		}
	}
	n.manifest.Thresholds, n.report.Files = n.report.Thresholds, n.reportFiles()
	return nil
}
