package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/policy"
)

// accountNight is the shop of an account on AWS, as its night sees it: the buckets
// are brought into the working folder, and what the night makes is taken back.
type accountNight struct {
	*aws.Night
	host  *aws.Host
	cfg   *config.Config
	yaml  []byte
	clock now
	log   *slog.Logger
}

// withAccount takes the account for one night. The night's role unwraps neither the
// key of the identity map nor that of the ledger.
func (c nightlyCmd) withAccount(ctx context.Context, s streams, n *night, do func(context.Context) error) (err error) {
	if c.AWS.Name == "" || c.AWS.Buckets == "" {
		return errors.New("--host aws: set HANDSCHLAG_AWS and HANDSCHLAG_AWS_BUCKETS, or give --aws-name and --aws-buckets")
	}
	a := accountNight{log: slog.New(untilStopped{slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}), ctx})}
	if a.cfg, a.yaml, err = loadConfig(c.Config); err != nil {
		return err
	}
	if a.clock, err = clockFromEnv(); err != nil {
		return err
	}
	o, err := c.AWS.options(ctx, a.cfg, a.clock, a.log)
	if err != nil {
		return err
	}
	o.Parts = []aws.Part{}
	if a.host, err = aws.Open(ctx, o); err != nil {
		return fmt.Errorf("opening the account: %w", err)
	}
	defer func() { err = errors.Join(err, a.host.Close()) }()
	var within context.Context
	if a.Night, within, err = a.host.BeginNight(ctx, n.dir, aws.NightOptions{Missing: c.Missing, Progress: n.out.step}); err != nil {
		return interrupted(ctx, err, "nothing was published")
	}
	defer func() { err = errors.Join(err, a.Night.Close()) }()
	n.shop = a
	err = do(within)
	if took := context.Cause(within); took != nil && ctx.Err() == nil {
		err = fmt.Errorf("nothing was published: %w", took)
	}
	return err
}

// verify says of a ledger that could not be verified that it was not.
func (a accountNight) verify(ctx context.Context, out *progress) (string, error) {
	key, err := a.VerifyLedger(ctx)
	if errors.Is(err, ledger.ErrChanging) {
		out.say("the ledger was not verified: " + err.Error())
		err = nil
	}
	return key, err
}

func (a accountNight) begin(ctx context.Context, in nightCall) (nightAnswer, error) {
	now := a.clock.Now()
	if err := in.due(ctx, a.host, now); err != nil {
		return nightAnswer{}, err
	}
	if err := a.Snapshot(ctx, in.Through, in.Dir); err != nil {
		return nightAnswer{}, err
	}
	off, err := exportsOff(ctx, a.host)
	return nightAnswer{Config: a.yaml, Now: now, ExportsOff: off}, err
}

// policies are those that the functions go by too: bundles that the key in the
// environment signed; without one, the program's own rules alone.
func (a accountNight) policies() keeper {
	return signedShelf{policyShelf{a.host.Shelf()}, []byte(os.Getenv("HANDSCHLAG_POLICY_KEY")), a.log}
}

// signedShelf is an account whose bundles count under one key, whatever key the
// account says they are under.
type signedShelf struct {
	policyShelf
	key []byte
	log *slog.Logger
}

// Key is the key in the environment.
func (s signedShelf) Key(context.Context) ([]byte, error) { return s.key, nil }

// Bundles lists what is installed, if there is a key to open it with.
func (s signedShelf) Bundles(ctx context.Context) ([]int64, error) {
	all, err := s.policyShelf.Bundles(ctx)
	if len(s.key) == 0 && len(all) > 0 {
		s.log.Warn("policy bundles are installed but HANDSCHLAG_POLICY_KEY is not set: the program's own rules count, as in a function without it", "installed", len(all))
		return nil, err
	}
	return all, err
}

func (a accountNight) rules(ctx context.Context, cfg *config.Config, at time.Time) (*policy.Rules, error) {
	return policyStore{a.policies(), cfg.Tenant, a.log}.rules(ctx, at, cfg.PolicySettings())
}

func (a accountNight) fresh(ctx context.Context, in nightCall) (bool, error) {
	if err := a.Standings(ctx, in.Dir); err != nil {
		return false, err
	}
	return exportsOff(ctx, a.host)
}

func (a accountNight) commit(ctx context.Context, records []decide.Record) error {
	for _, r := range records {
		if _, err := decideOnce(ctx, a.host, r); err != nil {
			return err
		}
	}
	return nil
}

func (a accountNight) publish(ctx context.Context, res segment.Result) error {
	return a.Publish(ctx, res.Publication, res.Members)
}

func (a accountNight) seal(ctx context.Context) (out sealAnswer, err error) {
	if out.Book, err = a.ReplayBook(ctx); err != nil {
		return out, err
	}
	out.Chain, err = a.SealDecisions(ctx)
	return out, err
}
