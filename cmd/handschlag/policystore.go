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

// OPS-02: policyStore is DATA/policy: the key that bundles must be signed with, every
// bundle that was good when it came, and the alarms. The program's own rules are
// the first good ones.
type policyStore struct {
	dir    string
	tenant string
	log    *slog.Logger
}

func policyOf(data, tenant string, log *slog.Logger) policyStore {
	return policyStore{filepath.Join(data, "policy"), tenant, log}
}

// key is the public key that was pinned with the first bundle; nil before.
func (p policyStore) key() ([]byte, error) {
	b, err := os.ReadFile(filepath.Join(p.dir, "key.pem"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the policy key: %w", err)
	}
	return b, nil
}

// revisions lists what is kept, highest first.
func (p policyStore) revisions() ([]int64, error) {
	names, err := filepath.Glob(filepath.Join(p.dir, "bundles", "*.tar.gz"))
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

func (p policyStore) file(revision int64) string {
	return filepath.Join(p.dir, "bundles", strconv.FormatInt(revision, 10)+".tar.gz")
}

// open reads a kept bundle and verifies it again.
func (p policyStore) open(revision int64, key []byte) (*policy.Bundle, error) {
	raw, err := os.ReadFile(p.file(revision))
	if err != nil {
		return nil, fmt.Errorf("reading the bundle: %w", err)
	}
	b, err := policy.OpenBundle(raw, key, p.tenant)
	if err == nil && b.Revision != revision {
		err = fmt.Errorf("it holds revision %d", b.Revision)
	}
	return b, err
}

// good gives the highest kept bundle above the program's own revision that
// verifies and is in effect at a moment; nil means the program's own rules. One
// that does not verify raises an alarm, and the next one counts.
func (p policyStore) good(now time.Time) (*policy.Bundle, error) {
	revisions, err := p.revisions()
	if err != nil || len(revisions) == 0 {
		return nil, err
	}
	key, err := p.key()
	if err != nil {
		return nil, err
	}
	for _, n := range revisions {
		b, err := p.open(n, key)
		if err != nil {
			p.alarm(now, fmt.Sprintf("kept bundle %d is refused, an older policy stays: %v", n, err))
			continue
		}
		if n > policy.Revision() && !b.Release.EffectiveAt.After(now) {
			return b, nil
		}
	}
	return nil, nil
}

// standing says what becomes of a kept bundle beside the live one.
func (p policyStore) standing(revision int64, key []byte, live *policy.Bundle, now time.Time) string {
	b, err := p.open(revision, key)
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
	b, err := p.good(now)
	if err != nil {
		return nil, err
	}
	if b != nil {
		r, err := b.Load(ctx, s)
		if err == nil {
			return r, nil
		}
		p.alarm(now, fmt.Sprintf("kept bundle %d is refused, the program's own rules stay: %v", b.Revision, err))
	}
	return policy.Load(ctx, s)
}

// keep writes a bundle, and the key if it is the first.
func (p policyStore) keep(revision int64, raw, key []byte) error {
	if err := os.MkdirAll(filepath.Join(p.dir, "bundles"), 0o700); err != nil {
		return fmt.Errorf("keeping the bundle: %w", err)
	}
	for _, f := range []struct {
		name string
		body []byte
	}{{filepath.Join(p.dir, "key.pem"), key}, {p.file(revision), raw}} {
		if err := replaceFile(f.name, f.body); err != nil {
			return fmt.Errorf("keeping the bundle: %w", err)
		}
	}
	return nil
}

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

// alarm is one line of alarms.ndjson.
type alarm struct {
	Time time.Time `json:"time"`
	What string    `json:"what"`
}

// alarm writes down that a policy was refused, and logs it. It cannot fail the
// caller: what was refused stays refused.
func (p policyStore) alarm(now time.Time, what string) {
	p.log.Error("policy refused", "why", what)
	line, _ := json.Marshal(alarm{now, what})
	f, err := os.OpenFile(filepath.Join(p.dir, "alarms.ndjson"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.log.Error("writing the alarm", "error", err)
	}
}
