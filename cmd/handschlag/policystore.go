package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/policy"
)

// OPS-02: policyStore is what a shop keeps of policies: the key that bundles must be
// signed with, every bundle that was good when it came, and the alarms. The
// program's own rules are the first good ones.
type policyStore struct {
	keeper
	tenant string
	log    *slog.Logger
}

// keeper is where a shop keeps them: its data folder, or its account on AWS.
type keeper interface {
	// Key is the public key that was pinned with the first bundle; nil before.
	Key(ctx context.Context) ([]byte, error)
	// Bundles lists what is kept, highest first.
	Bundles(ctx context.Context) ([]int64, error)
	// Bundle gives a kept file as it is.
	Bundle(ctx context.Context, revision int64) ([]byte, error)
	// Put keeps a bundle, and the key if it is the first.
	Put(ctx context.Context, revision int64, raw, key []byte) error
	// alarm keeps the line about a policy that was refused, where there is a place for it.
	alarm(line []byte) error
	// alarms gives those lines; false if they are elsewhere.
	alarms() ([]byte, bool, error)
}

func policyOf(data, tenant string, log *slog.Logger) policyStore {
	return policyStore{policyFolder(filepath.Join(data, "policy")), tenant, log}
}

// open reads a kept bundle and verifies it again.
func (p policyStore) open(ctx context.Context, revision int64, key []byte) (*policy.Bundle, error) {
	raw, err := p.Bundle(ctx, revision)
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	b, err := policy.OpenBundle(raw, key, p.tenant)
	if err == nil && b.Revision != revision {
		err = fmt.Errorf("it holds revision %d", b.Revision)
	}
	return b, err
}

// good gives the bundle that is law at a moment; nil means the program's own rules.
func (p policyStore) good(ctx context.Context, now time.Time) (*policy.Bundle, error) {
	revisions, err := p.Bundles(ctx)
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	key, err := p.Key(ctx)
	if err != nil {
		return nil, err
	}
	live, _ := policy.InForce(now, revisions, func(n int64) (*policy.Bundle, error) { return p.open(ctx, n, key) },
		func(what string) { p.refused(now, what) })
	return live, nil
}

// standing says what becomes of a kept bundle beside the live one.
func (p policyStore) standing(ctx context.Context, revision int64, key []byte, live *policy.Bundle, now time.Time) string {
	b, err := p.open(ctx, revision, key)
	switch {
	case err != nil:
		return "refused: it no longer verifies"
	case live != nil && live.Revision == revision:
		return "live"
	case b.Release.EffectiveAt.After(now):
		return "waits, in effect from " + b.Release.EffectiveAt.Format(time.RFC3339)
	}
	return "replaced by a later one"
}

// rules compiles the policy that is live at a moment. A bundle that this program
// cannot compile raises an alarm, and the program's own rules stay.
func (p policyStore) rules(ctx context.Context, now time.Time, s policy.Settings) (*policy.Rules, error) {
	b, err := p.good(ctx, now)
	if err != nil {
		return nil, err
	}
	if b != nil {
		r, err := b.Load(ctx, s)
		if err == nil {
			return r, nil
		}
		p.refused(now, fmt.Sprintf("kept bundle %d is refused, the program's own rules stay: %v", b.Revision, err))
	}
	return policy.Load(ctx, s)
}

// alarm is one line about a policy that was refused.
type alarm struct {
	Time time.Time `json:"time"`
	What string    `json:"what"`
}

// refused logs that a policy was refused, and writes it down. It cannot fail the
// caller: what was refused stays refused.
func (p policyStore) refused(now time.Time, what string) {
	p.log.Error("policy refused", "why", what)
	line, _ := json.Marshal(alarm{now, what})
	if err := p.alarm(append(line, '\n')); err != nil {
		p.log.Error("writing the alarm", "error", err)
	}
}

// policyFolder is DATA/policy.
type policyFolder string

// Key reads the pinned key.
func (dir policyFolder) Key(context.Context) ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(string(dir), "key.pem"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy key: %w", err)
	}
	return b, nil
}

// Bundles lists the files.
func (dir policyFolder) Bundles(context.Context) ([]int64, error) {
	names, err := filepath.Glob(filepath.Join(string(dir), "bundles", "*.tar.gz"))
	if err != nil {
		return nil, err
	}
	var out []int64
	for _, name := range names {
		if n, err := strconv.ParseInt(strings.TrimSuffix(filepath.Base(name), ".tar.gz"), 10, 64); err == nil {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out, nil
}

func (dir policyFolder) file(revision int64) string {
	return filepath.Join(string(dir), "bundles", strconv.FormatInt(revision, 10)+".tar.gz")
}

// Bundle reads a file.
func (dir policyFolder) Bundle(_ context.Context, revision int64) ([]byte, error) {
	return os.ReadFile(dir.file(revision))
}

// Put writes file and key.
func (dir policyFolder) Put(_ context.Context, revision int64, raw, key []byte) error {
	if err := os.MkdirAll(filepath.Join(string(dir), "bundles"), 0o700); err != nil {
		return fmt.Errorf("keeping the bundle: %w", err)
	}
	for _, f := range []struct {
		name string
		body []byte
	}{{filepath.Join(string(dir), "key.pem"), key}, {dir.file(revision), raw}} {
		if err := replaceFile(f.name, f.body); err != nil {
			return fmt.Errorf("keeping the bundle: %w", err)
		}
	}
	return nil
}

// alarm adds a line to alarms.ndjson.
func (dir policyFolder) alarm(line []byte) error {
	if err := os.MkdirAll(string(dir), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(dir.alarmFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(line)
	return errors.Join(err, f.Close())
}

// alarms reads them.
func (dir policyFolder) alarms() ([]byte, bool, error) {
	body, err := os.ReadFile(dir.alarmFile())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, true, fmt.Errorf("reading alarms: %w", err)
	}
	return body, true, nil
}

func (dir policyFolder) alarmFile() string { return filepath.Join(string(dir), "alarms.ndjson") }

// replaceFile writes a file whole and durably, or not at all.
func replaceFile(name string, body []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone if it was renamed
	_, err = f.Write(body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
