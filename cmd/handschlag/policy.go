package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/policy"
)

type policyCmd struct {
	Init    policyInitCmd    `cmd:"" help:"Write the live rules with their tests into a folder, to change them there."`
	Keygen  policyKeygenCmd  `cmd:"" help:"Make the key pair that bundles are signed with."`
	Inspect policyInspectCmd `cmd:"" help:"What a changed policy touches, its digest, and whether its tests pass."`
	Build   policyBuildCmd   `cmd:"" help:"Make a signed bundle of a policy and its release."`
	Verify  policyVerifyCmd  `cmd:"" help:"Check a bundle as install does, and install nothing."`
	Install policyInstallCmd `cmd:"" help:"Make a good bundle the policy from its effective date on; anything else changes nothing."`
	Status  policyStatusCmd  `cmd:"" help:"Which policy is live, which ones wait, and which were refused."`
}

type policyInitCmd struct {
	place
	whose
	Folder string `arg:"" help:"Where to write; it must not exist."`
}

// Run writes the live rules, and never over a folder that is there.
func (c policyInitCmd) Run(ctx context.Context, s streams) error {
	base, _, err := candidate{place: c.place, whose: c.whose}.live(ctx, s)
	if err != nil {
		return err
	}
	files, err := policy.Files(base)
	if err != nil {
		return err
	}
	if err := os.Mkdir(c.Folder, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		to := filepath.Join(c.Folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("writing rules: %w", err)
		}
		if err := os.WriteFile(to, []byte(files[name]), 0o644); err != nil {
			return fmt.Errorf("writing rules: %w", err)
		}
	}
	s.printf("wrote %d files to %s\n", len(files), c.Folder)
	return nil
}

type policyKeygenCmd struct {
	Out string `required:"" placeholder:"FOLDER" help:"Where policy-key.pem (secret) and policy-public.pem go."`
}

// Run makes a key pair, and never over one that is there.
func (c policyKeygenCmd) Run(s streams) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	if err := os.MkdirAll(c.Out, 0o700); err != nil {
		return fmt.Errorf("making the key: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open})
	for _, f := range []struct {
		name string
		body []byte
	}{{"policy-key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})}, {"policy-public.pem", public}} {
		if err := newFile(filepath.Join(c.Out, f.name), f.body); err != nil {
			return err
		}
	}
	id, err := policy.KeyID(public)
	if err != nil {
		return err
	}
	s.printf("key %s in %s: keep policy-key.pem secret\n", id, c.Out)
	return nil
}

// newFile writes a file that nobody but its owner reads, and never over another.
func newFile(name string, body []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already", name)
	}
	if err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	_, err = f.Write(body)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// candidate is a policy in a folder, and the shop that it is for.
type candidate struct {
	place
	whose
	Folder string `arg:"" optional:"" help:"Folder laid out as policy/; what it lacks is the program's. Default: the program's rules."`
}

func (c candidate) fs() (fs.FS, error) {
	if c.Folder == "" {
		return nil, nil
	}
	if info, err := os.Stat(c.Folder); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("there is no folder %s", c.Folder)
	}
	return os.DirFS(c.Folder), nil
}

// live is the bundle that a candidate would follow, with the shop's settings.
func (c candidate) live(ctx context.Context, s streams) (*policy.Bundle, *config.Config, error) {
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return nil, nil, err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return nil, nil, err
	}
	st, err := c.policies(ctx, c.place, cfg, clock, alarms(s))
	if err != nil {
		return nil, nil, err
	}
	base, err := st.good(ctx, clock.Now())
	return base, cfg, err
}

func alarms(s streams) *slog.Logger {
	return slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelError}))
}

type policyInspectCmd struct{ candidate }

// Run prints what a release of the candidate must speak of.
func (c policyInspectCmd) Run(ctx context.Context, s streams) error {
	base, cfg, err := c.live(ctx, s)
	if err != nil {
		return err
	}
	folder, err := c.fs()
	if err != nil {
		return err
	}
	b, err := policy.NewBundle(folder, cfg.Tenant, 0, cfg.PolicySettings(), policy.Release{})
	if err != nil {
		return err
	}
	r, err := b.Load(ctx, cfg.PolicySettings())
	if err != nil {
		return err
	}
	s.printf("policy %s\n", r.Digests().Policy)
	touched, err := b.TouchedSince(base)
	if err != nil {
		return err
	}
	s.printf("touched: %s\n", orNoRule(touched))
	passed, failed, err := b.Test(ctx)
	if err != nil {
		return err
	}
	s.printf("tests: %d passed, %d failed\n", passed, len(failed))
	if len(failed) > 0 {
		return fmt.Errorf("test %s fails", failed[0])
	}
	return nil
}

func orNoRule(ids []string) string {
	if len(ids) == 0 {
		return "no rule"
	}
	return strings.Join(ids, ", ")
}

type policyBuildCmd struct {
	candidate
	Key      string `required:"" placeholder:"FILE" help:"policy-key.pem."`
	Public   string `required:"" placeholder:"FILE" help:"policy-public.pem."`
	Release  string `required:"" placeholder:"FILE" help:"release.json: effective_at, changes, opinion, approval."`
	Replay   string `placeholder:"FILE" help:"What audit replay --policy FOLDER --json printed; else the release holds it."`
	Revision int64  `required:"" help:"Above that of the live policy."`
	Out      string `short:"o" required:"" placeholder:"FILE" help:"Where the bundle goes."`
}

// Run writes a signed bundle. It does not judge the release: verify and install do.
func (c policyBuildCmd) Run(s streams) error {
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	folder, err := c.fs()
	if err != nil {
		return err
	}
	r, err := readRelease(c.Release, c.Replay)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.Key)
	if err != nil {
		return fmt.Errorf("reading the key: %w", err)
	}
	public, err := os.ReadFile(c.Public)
	if err != nil {
		return fmt.Errorf("reading the public key: %w", err)
	}
	b, err := policy.NewBundle(folder, cfg.Tenant, c.Revision, cfg.PolicySettings(), r)
	if err != nil {
		return err
	}
	raw, err := b.Sign(key, public)
	if err != nil {
		return err
	}
	if err := newFile(c.Out, raw); err != nil {
		return err
	}
	s.printf("wrote %s: revision %d for %s, %d bytes, signed by %s\n", c.Out, c.Revision, cfg.Tenant, len(raw), b.KeyID)
	return nil
}

// readRelease reads a release, and the report of a replay over its own.
func readRelease(name, replay string) (policy.Release, error) {
	f, err := os.Open(name)
	if err != nil {
		return policy.Release{}, fmt.Errorf("reading the release: %w", err)
	}
	defer func() { _ = f.Close() }()
	dec := json.NewDecoder(f)
	dec.DisallowUnknownFields()
	var r policy.Release
	if err := dec.Decode(&r); err != nil {
		return r, fmt.Errorf("reading the release %s: %w", name, err)
	}
	if replay == "" {
		return r, nil
	}
	b, err := os.ReadFile(replay)
	if err != nil {
		return r, fmt.Errorf("reading the replay: %w", err)
	}
	r.Replay = &policy.Impact{}
	if err := json.Unmarshal(b, r.Replay); err != nil || r.Replay.Policy == "" {
		return r, fmt.Errorf("reading the replay %s: want what audit replay --policy FOLDER --json prints", replay)
	}
	return r, nil
}

// incoming is a bundle from outside, and the shop that it comes to.
type incoming struct {
	place
	whose
	Bundle string `arg:"" help:"Bundle file."`
	Public string `placeholder:"FILE" help:"policy-public.pem; needed for the first bundle, pinned from then on."`
}

// checked opens the bundle and asks everything that install asks.
func (c incoming) checked(ctx context.Context) (st policyStore, b *policy.Bundle, raw, key []byte, now time.Time, err error) {
	if err = c.there(c.place); err != nil {
		return
	}
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return
	}
	clock, err := clockFromEnv()
	if err != nil {
		return
	}
	now = clock.Now()
	if st, err = c.policies(ctx, c.place, cfg, clock, slog.New(slog.DiscardHandler)); err != nil {
		return
	}
	if raw, err = os.ReadFile(c.Bundle); err != nil {
		err = fmt.Errorf("reading the bundle: %w", err)
		return
	}
	if key, err = c.trusted(ctx, st); err != nil {
		return
	}
	if b, err = policy.OpenBundle(raw, key, cfg.Tenant); err == nil {
		err = c.follows(ctx, st, b, cfg.PolicySettings())
	}
	if err != nil {
		err = refusedBundle{err}
	}
	return
}

// refusedBundle is why a bundle may not become the policy.
type refusedBundle struct{ error }

func (r refusedBundle) Error() string {
	return "the bundle is refused, the policy stays: " + r.error.Error()
}

// Unwrap is the cause.
func (r refusedBundle) Unwrap() error { return r.error }

// trusted is the pinned key, or the one given for the first bundle.
func (c incoming) trusted(ctx context.Context, st policyStore) ([]byte, error) {
	pinned, err := st.Key(ctx)
	if err != nil || pinned != nil {
		return pinned, err
	}
	if c.Public == "" {
		return nil, errors.New("this shop knows no policy key yet: give --public policy-public.pem")
	}
	key, err := os.ReadFile(c.Public)
	if err != nil {
		return nil, fmt.Errorf("reading the public key: %w", err)
	}
	return key, nil
}

// follows checks a bundle against the newest good one, in effect or not.
func (c incoming) follows(ctx context.Context, st policyStore, b *policy.Bundle, s policy.Settings) error {
	newest, err := st.good(ctx, time.Unix(1<<40, 0))
	if err != nil {
		return err
	}
	kept, err := st.Bundles(ctx) // one that no longer verifies still counts: it was good once
	if err != nil {
		return err
	}
	if len(kept) > 0 && b.Revision <= kept[0] {
		return fmt.Errorf("revision %d is not above %d: a bundle never goes back", b.Revision, kept[0])
	}
	return b.Check(ctx, newest, s)
}

type policyVerifyCmd struct{ incoming }

// Run prints what a good bundle brings.
func (c policyVerifyCmd) Run(ctx context.Context, s streams) error {
	_, b, _, _, _, err := c.checked(ctx)
	if err != nil {
		return err
	}
	s.bundle(b)
	s.printf("good: handschlag policy install would make it the policy\n")
	return nil
}

func (s streams) bundle(b *policy.Bundle) {
	r := b.Release
	s.printf("revision %d for %s, signed by %s, sha256 %s\n", b.Revision, b.Tenant, b.KeyID, b.Digest)
	s.printf("in effect from %s\n", r.EffectiveAt.Format(time.RFC3339))
	for _, who := range []struct {
		role string
		said *policy.Said
	}{{"opinion of the data protection officer", r.Opinion}, {"approval of the controller", r.Approval}} {
		if who.said != nil {
			s.printf("%s: %s on %s: %s\n", who.role, who.said.By, who.said.At.Format(time.RFC3339), who.said.Text)
		}
	}
	if r.Replay != nil {
		s.printf("replay of %d decisions: %d newly allowed, %d newly denied, %d changed\n", r.Replay.Decisions, r.Replay.NewlyAllowed, r.Replay.NewlyDenied, r.Replay.Changed)
	}
	for _, id := range slices.Sorted(maps.Keys(r.Changes)) {
		s.printf("%s: %s | %s\n", id, r.Changes[id].En, r.Changes[id].De)
	}
}

type policyInstallCmd struct{ incoming }

// Run keeps a good bundle, and raises an alarm about another. A server takes it up when it starts next, a night at once.
func (c policyInstallCmd) Run(ctx context.Context, s streams) error {
	st, b, raw, key, now, err := c.checked(ctx)
	if refused := (refusedBundle{}); errors.As(err, &refused) {
		st.refused(now, oneLine(err))
	}
	if err != nil {
		return err
	}
	if err := st.Put(ctx, b.Revision, raw, key); err != nil {
		return err
	}
	from := c.inEffect()
	if b.Release.EffectiveAt.After(now) {
		from = b.Release.EffectiveAt.Format(time.RFC3339)
	}
	s.printf("installed revision %d, in effect from %s\n", b.Revision, from)
	return nil
}

type policyStatusCmd struct {
	place
	whose
}

// Run prints the live policy and what is kept beside it.
func (c policyStatusCmd) Run(ctx context.Context, s streams) error {
	if err := c.there(c.place); err != nil {
		return err
	}
	cfg, _, err := loadConfig(c.Config)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	st, err := c.policies(ctx, c.place, cfg, clock, alarms(s))
	if err != nil {
		return err
	}
	b, err := st.good(ctx, clock.Now())
	if err != nil {
		return err
	}
	if b == nil {
		s.printf("live: the program's own rules, revision %d\n", policy.Revision())
	} else {
		s.printf("live: ")
		s.bundle(b)
	}
	revisions, err := st.Bundles(ctx)
	if err != nil {
		return err
	}
	key, err := st.Key(ctx)
	if err != nil {
		return err
	}
	for _, n := range revisions {
		s.printf("kept: revision %d, %s\n", n, st.standing(ctx, n, key, b, clock.Now()))
	}
	body, here, err := st.alarms()
	if err == nil && here {
		s.printf("refused so far: %d\n%s", strings.Count(string(body), "\n"), body)
	}
	return err
}
