package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/flow"
)

type exportPullCmd struct {
	exportsAt
	Date    string `default:"latest" help:"Date of the night, or latest."`
	Channel string `help:"Only this channel's files of rows, and what is about no channel; default: all."`
	To      string `required:"" placeholder:"DIR" help:"Folder for the nights; each gets a folder of its own in it, named by its date."`
	Key     string `help:"Public key of the manifests, from somewhere else than the server; default: the one that the first pull found, kept in DIR/verifier."`
}

// Run fetches a night into a folder. The manifest is written last: a folder with one
// is whole.
func (c exportPullCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		var list flow.ExportsAnswer
		if err := r.ask(ctx, "GET", "/v1/exports", nil, &list); err != nil {
			return err
		}
		night, err := c.night(list)
		if err != nil {
			return err
		}
		key, err := c.key(list.Verifier)
		if err != nil {
			return err
		}
		p := puller{from: r, date: night.Date, dir: filepath.Join(c.To, night.Date), key: key, out: s}
		return p.night(ctx, c.Channel)
	})
}

// night finds the night that is meant.
func (c exportPullCmd) night(list flow.ExportsAnswer) (flow.Export, error) {
	if len(list.Exports) == 0 {
		return flow.Export{}, errors.New("no night is published yet")
	}
	if c.Date == "latest" {
		return list.Exports[0], nil
	}
	at := slices.IndexFunc(list.Exports, func(e flow.Export) bool { return e.Date == c.Date })
	if at < 0 {
		return flow.Export{}, fmt.Errorf("--date: no night of %q is published; the newest is of %s", c.Date, list.Exports[0].Date)
	}
	return list.Exports[at], nil
}

// key is the public key that manifests have to be signed with: the given one, else
// the one that this folder began with. A server that tells another is not believed.
func (c exportPullCmd) key(told string) (string, error) {
	kept, err := os.ReadFile(filepath.Join(c.To, "verifier"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading the key of the manifests: %w", err)
	}
	pinned := strings.TrimSpace(string(kept))
	key := strings.TrimSpace(c.Key)
	switch {
	case key == "" && pinned == "":
		key = told
	case key == "":
		key = pinned
	}
	if key == "" {
		return "", errors.New("the server does not tell the key of its manifests: give it with --key")
	}
	if pinned != "" && pinned != key {
		return "", fmt.Errorf("--key: %s began with another key; is it the folder of another shop?", c.To)
	}
	if told != key {
		return "", fmt.Errorf("the server says that its manifests are signed with the key %q, but %q is expected: ask whoever runs the night which is right", told, key)
	}
	return key, nil
}

// night fetches all files that are asked for, then shows the manifest.
func (p puller) night(ctx context.Context, channel string) error {
	body, signature, err := p.manifest(ctx)
	if err != nil {
		return err
	}
	m, _, err := segment.OpenManifest(p.date, body, signature, p.key)
	if err != nil {
		return fmt.Errorf("the export of %s does not verify: %w", p.date, err)
	}
	files, err := wanted(m, channel)
	if err != nil {
		return err
	}
	if err := p.begin(m, body); err != nil {
		return err
	}
	got, err := p.files(ctx, files)
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{"manifest.json.sig": signature, "manifest.json": body} {
		if err := writeWhole(filepath.Join(p.dir, name), b); err != nil {
			return err
		}
	}
	v, err := segment.Verify(p.dir, p.key)
	if err != nil {
		return fmt.Errorf("the export of %s does not verify: %w", p.date, err)
	}
	p.out.printf("pulled %d files, %d bytes; %d were there already\n", got.fetched, got.bytes, got.kept)
	p.out.exported(v)
	return nil
}

// files fetches one file after the other.
func (p puller) files(ctx context.Context, files []segment.File) (got tally, err error) {
	for _, f := range files {
		if err := p.file(ctx, f, &got); err != nil {
			return got, interrupted(ctx, err, fmt.Sprintf("%d of %d files are in %s; the same command goes on", got.fetched+got.kept, len(files), p.dir))
		}
	}
	return got, nil
}

// tally counts what a pull did.
type tally struct {
	fetched, kept int
	bytes         int64
}

// manifest reads the manifest and its signature; they are small.
func (p puller) manifest(ctx context.Context) (body, signature []byte, err error) {
	for name, into := range map[string]*[]byte{"manifest.json": &body, "manifest.json.sig": &signature} {
		res, err := p.from.request(ctx, "GET", p.path(name), "staff", nil)
		if err != nil {
			return nil, nil, err
		}
		*into, err = io.ReadAll(io.LimitReader(res.Body, 64<<20))
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", name, err)
		}
	}
	return body, signature, nil
}

// wanted are the files of a channel, and those of none; all files if it is "". The
// list of all deliveries never leaves the night.
func wanted(m segment.Manifest, channel string) (files []segment.File, err error) {
	channels := map[string]bool{}
	for _, f := range m.Files {
		if f.Name != filepath.Base(f.Name) || f.Kind == "deliveries" {
			continue
		}
		channels[f.Channel] = true
		if f.Channel == "" || channel == "" || f.Channel == channel {
			files = append(files, f)
		}
	}
	if channel != "" && !channels[channel] {
		delete(channels, "")
		return nil, fmt.Errorf("--channel: the night has no channel %q, but %s", channel, strings.Join(sorted(channels), ", "))
	}
	return files, nil
}

// begin makes the night's folder, and keeps the key that it is verified with. If the
// folder holds an earlier run of the same date, or a part of one, that one's manifest goes
// first, with the files that only it names.
func (p puller) begin(m segment.Manifest, body []byte) error {
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return fmt.Errorf("making folder: %w", err)
	}
	if err := writeWhole(filepath.Join(filepath.Dir(p.dir), "verifier"), []byte(p.key+"\n")); err != nil {
		return err
	}
	for _, of := range []string{"manifest.json", "manifest.json" + partly} {
		was, err := os.ReadFile(filepath.Join(p.dir, of))
		if err == nil && !bytes.Equal(was, body) {
			err = p.forget(manifestFiles(was), m)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an earlier run: %w", err)
		}
	}
	if err := os.WriteFile(filepath.Join(p.dir, "manifest.json"+partly), body, 0o600); err != nil {
		return fmt.Errorf("writing the manifest: %w", err)
	}
	return nil
}

// forget removes a run's manifest and what only it names.
func (p puller) forget(names []string, m segment.Manifest) error {
	for _, name := range append([]string{"manifest.json", "manifest.json.sig"}, names...) {
		if slices.ContainsFunc(m.Files, func(f segment.File) bool { return f.Name == name }) {
			continue
		}
		for _, path := range []string{filepath.Join(p.dir, name), filepath.Join(p.dir, name+partly)} {
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// writeWhole puts a file in its place at once, for its owner alone.
func writeWhole(path string, body []byte) error {
	part := path + partly
	if err := os.WriteFile(part, body, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return inPlace(part, path)
}

// inPlace makes a part durable and gives it its name.
func inPlace(part, path string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err == nil {
		err = errors.Join(f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return nil
}

// partly is what the name of a file ends with until it is whole.
const partly = ".part"

// stalled is how long a transfer may bring nothing.
const stalled = 30 * time.Second
