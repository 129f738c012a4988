package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/signin"
)

// account is where a command finds a shop's account on AWS.
type account struct {
	Name    string `placeholder:"PREFIX" env:"HANDSCHLAG_AWS" help:"With --host aws: what the names of tables begin with, as in handschlag-dev."`
	Buckets string `placeholder:"PREFIX" env:"HANDSCHLAG_AWS_BUCKETS" help:"With --host aws: what the names of buckets begin with, as in handschlag-dev-123456789012."`
	Region  string `env:"AWS_REGION" help:"With --host aws: the region; else that of the AWS profile."`
}

// options say how to open the account, with whatever credentials are at hand.
func (a account) options(ctx context.Context, cfg *config.Config, clock now, log *slog.Logger) (aws.Options, error) {
	if a.Name == "" || a.Buckets == "" {
		return aws.Options{}, errors.New("--host aws: give --name and --buckets, or set HANDSCHLAG_AWS and HANDSCHLAG_AWS_BUCKETS")
	}
	at, err := signin.Account(ctx, a.Region)
	if err != nil {
		return aws.Options{}, err
	}
	return aws.Options{
		Prefix: a.Name, Buckets: a.Buckets, Tenant: cfg.Tenant, Account: at, Clock: clock.Now, Log: log, Invalid: cfg.Invalid(),
		Retain: aws.Retain{
			EventDays: cfg.Retention.EventDays, DecisionDays: cfg.Retention.DecisionDays, SegmentDays: cfg.Retention.SegmentDays,
			ListYears: 3, ProofYears: cfg.Retention.ProofYears,
		},
	}, nil
}

// whose says whose shop a command is about.
type whose struct {
	Host string `enum:"local,aws" default:"local" help:"Whose shop it is: local, of the data folder, or aws, of an account."`
	account
}

// policies gives what the shop keeps of policies.
func (w whose) policies(ctx context.Context, p place, cfg *config.Config, clock now, log *slog.Logger) (policyStore, error) {
	if w.Host != "aws" {
		return policyOf(p.Data, cfg.Tenant, log), nil
	}
	o, err := w.options(ctx, cfg, clock, log)
	if err != nil {
		return policyStore{}, err
	}
	return policyStore{policyShelf{aws.OpenShelf(o)}, cfg.Tenant, log}, nil
}

// there refuses a data folder that is not there.
func (w whose) there(p place) error {
	if w.Host == "aws" {
		return nil
	}
	return thereIs(p.Data)
}

// policyShelf is the account. Its functions raise their alarms in their own logs.
type policyShelf struct{ aws.Shelf }

func (policyShelf) alarm([]byte) error { return nil }

func (policyShelf) alarms() ([]byte, bool, error) { return nil, false, nil }

// inEffect says when a bundle takes effect at the earliest.
func (w whose) inEffect() string {
	if w.Host == "aws" {
		return fmt.Sprintf("half a minute from now in every function of %s, and the next night", w.Name)
	}
	return "the next start of serve, and the next night"
}
