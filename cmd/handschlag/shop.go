package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/desk"
	"github.com/handschlag/handschlag/host/local"
)

// place is where a command finds the shop: the flags that most commands share.
type place struct {
	Data   string `default:"data" help:"Data folder." env:"HANDSCHLAG_DATA"`
	Config string `help:"handschlag.yaml; the commented default if none." env:"HANDSCHLAG_CONFIG"`
}

// shop is an open data folder with the rules over it.
type shop struct {
	dir   string
	cfg   *config.Config
	yaml  []byte
	clock now
	log   *slog.Logger
	host  *local.Host
	flow  *flow.Flow
}

// openShop opens the folder for this process alone.
func openShop(ctx context.Context, p place, log *slog.Logger) (*shop, error) {
	cfg, yaml, err := loadConfig(p.Config)
	if err != nil {
		return nil, err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return nil, err
	}
	queue, err := desk.NewQueue(cfg.Offers.JoinURL, cfg.Offers.Desks)
	if err != nil {
		return nil, err
	}
	host, err := local.Open(ctx, p.Data, local.Options{
		Clock: clock.Now, Tenant: cfg.Tenant, Log: log,
		Retain:  local.Retain{EventDays: cfg.Retention.EventDays, DecisionDays: cfg.Retention.DecisionDays, ListYears: 3, ProofYears: cfg.Retention.ProofYears},
		Invalid: cfg.Invalid(),
	})
	if err != nil {
		return nil, err // it says which folder, and why
	}
	rules, err := policyOf(p.Data, cfg.Tenant, log).rules(ctx, clock.Now(), cfg.PolicySettings())
	if err != nil {
		_ = host.Close()
		return nil, fmt.Errorf("loading the rules: %w", err)
	}
	f, err := flow.NewUnder(ctx, rules, cfg, host, queue, clock.Now, version)
	if err != nil {
		_ = host.Close()
		return nil, fmt.Errorf("starting the shop: %w", err)
	}
	return &shop{dir: p.Data, cfg: cfg, yaml: yaml, clock: clock, log: log, host: host, flow: f}, nil
}

// Close waits for what was accepted to be durable.
func (s *shop) Close() error {
	if err := s.host.Close(); err != nil {
		return fmt.Errorf("closing data folder: %w", err)
	}
	return nil
}
