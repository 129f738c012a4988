package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/handschlag/handschlag/flow"
)

const (
	manifestFile = "manifest.json"
	tmpRun       = ".tmp-run" // a run that is not finished
	oldRun       = ".old-run" // an export that is being replaced by a later run of its date
)

// publish writes the manifest last and then shows the whole folder at once.
func (n *night) publish(ctx context.Context) error {
	final := filepath.Join(n.in.Out, n.date)
	if err := n.sameAs(final); err != nil {
		return err
	}
	body, err := n.manifest.bytes()
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(n.runDir(), manifestFile), body, 0o600); err != nil {
		return fmt.Errorf("writing manifest: %w", err)
	}
	if err := n.sign(body); err != nil {
		return err
	}
	if err := syncFolder(n.runDir()); err != nil {
		return err
	}
	if was, err := os.ReadFile(filepath.Join(final, manifestFile)); err == nil && bytes.Equal(was, body) {
		if err := n.keepJoined(final); err != nil {
			return err
		}
		return os.RemoveAll(n.runDir()) // a re-run: every byte is there already
	}
	if err := n.stillFresh(); err != nil {
		return err
	}
	if err := n.expire(); err != nil { // before anything is shown: what fails here publishes nothing
		return err
	}
	if n.in.Commit != nil {
		if err := n.in.Commit(ctx, n.records); err != nil {
			return fmt.Errorf("recording what leaves: %w", err)
		}
	}
	if err := n.keepWeights(); err != nil { // before they are in force: the next night goes on from them
		return err
	}
	n.progress("swapping", 0, 1)
	return swap(n.runDir(), final)
}

// sameAs keeps the export that is there, with its times and the ledger it was made on,
// if a re-run found all the same before that expired: on the same root it always does,
// and leaves about others than its persons change nothing either (BAT-05).
func (n *night) sameAs(final string) error {
	was, err := readManifest(final)
	if err != nil || !was.Expires.After(n.pinned.Time) {
		return err
	}
	again := n.manifest
	again.Created, again.Expires, again.Ledger, again.Checkpoint = was.Created, was.Expires, was.Ledger, was.Checkpoint
	one, err := again.bytes()
	if err != nil {
		return err
	}
	if two, err := was.bytes(); err == nil && bytes.Equal(one, two) {
		n.manifest = again
	}
	return nil
}

// bytes is manifest.json.
func (m Manifest) bytes() ([]byte, error) {
	body, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing manifest: %w", err)
	}
	return append(body, '\n'), nil
}

// swap shows a finished folder under its final name. An older one of the same
// date steps aside first; recoverExports brings it back if we die in between.
func swap(run, final string) error {
	if err := os.Rename(final, final+oldRun); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("setting the earlier export aside: %w", err)
	}
	if err := os.Rename(run, final); err != nil {
		return errors.Join(fmt.Errorf("publishing: %w", err), os.Rename(final+oldRun, final))
	}
	if err := syncFolder(filepath.Dir(final)); err != nil {
		return err
	}
	if err := os.RemoveAll(final + oldRun); err != nil {
		return fmt.Errorf("removing the earlier export: %w", err)
	}
	return nil
}

// recoverExports brings the exports folder back to a state between two nights:
// unfinished runs go, a set-aside export without a successor returns.
func recoverExports(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) {
		return nil // before the first night
	}
	if err != nil {
		return fmt.Errorf("clearing unfinished exports: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(out, e.Name())
		final, old := strings.CutSuffix(path, oldRun)
		switch {
		case old:
			if err := bringBack(path, final); err != nil {
				return fmt.Errorf("bringing an export back: %w", err)
			}
		case strings.HasSuffix(path, tmpRun):
			if err := os.RemoveAll(path); err != nil {
				return fmt.Errorf("clearing unfinished exports: %w", err)
			}
		}
	}
	return nil
}

// bringBack returns a set-aside export to its place, or removes it if the place is taken.
func bringBack(aside, final string) error {
	if _, err := os.Stat(final); errors.Is(err, os.ErrNotExist) {
		return os.Rename(aside, final)
	}
	return os.RemoveAll(aside)
}

func (n *night) result() Result {
	return Result{
		Publication: flow.Publication{
			AsOf: n.in.AsOf, Run: n.runID(), Weights: n.weights, Scorecard: n.scorecard, Gain: n.gain, Manifest: filepath.ToSlash(filepath.Join(n.date, manifestFile)),
		},
		Members: n.members, Report: n.report, Records: n.records,
	}
}
