package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/handschlag/handschlag/batch/segment"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// folderNight is the shop of a data folder, as its night sees it: state and exports
// lie in it already.
type folderNight struct {
	dir  string
	shop *reached
	out  *progress
}

// verify refuses to build on consent records that are not what was signed. A
// ledger that a busy server changes faster than it can be read is said, not refused.
func (n folderNight) verify(ctx context.Context, out *progress) (string, error) {
	f := folder{Data: n.dir}
	key, err := f.key()
	if err != nil {
		return "", err
	}
	_, err = ledger.Verify(os.DirFS(f.dir()), key)
	switch {
	case errors.Is(err, ledger.ErrChanging):
		out.say("the ledger was not verified: " + err.Error())
	case err != nil: // OPS-06: from now on no consent is relied on
		err = fmt.Errorf("the ledger does not verify: %w", err)
		return "", errors.Join(err, n.shop.call(ctx, "POST", "/admin/trust", trustCall{Broken: oneLine(err)}, &struct{}{}))
	}
	return key, nil
}

func (n folderNight) begin(ctx context.Context, in nightCall) (a nightAnswer, err error) {
	err = n.shop.call(ctx, "POST", "/admin/night", in, &a)
	return a, err
}

func (n folderNight) rules(ctx context.Context, cfg *config.Config, now time.Time) (*policy.Rules, error) {
	log := slog.New(slog.NewTextHandler(n.out.out, &slog.HandlerOptions{Level: slog.LevelError}))
	return policyOf(n.dir, cfg.Tenant, log).rules(ctx, now, cfg.PolicySettings())
}

func (n folderNight) fresh(ctx context.Context, in nightCall) (exportsOff bool, err error) {
	var a standingsAnswer
	err = n.shop.call(ctx, "POST", "/admin/standings", in, &a)
	return a.ExportsOff, err
}

func (n folderNight) commit(ctx context.Context, records []decide.Record) error {
	return n.shop.sendLines(ctx, "/admin/decisions", func(enc *json.Encoder) error {
		for i := range records {
			if err := enc.Encode(&records[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

// publish hands the day what it reads. The exports are where they belong already.
func (n folderNight) publish(ctx context.Context, res segment.Result) error {
	return n.shop.sendLines(ctx, "/admin/publish", func(enc *json.Encoder) error {
		return writeMembers(enc, res)
	})
}

func (n folderNight) seal(ctx context.Context) (a sealAnswer, err error) {
	err = n.shop.call(ctx, "POST", "/admin/seal", struct{}{}, &a)
	return a, err
}

// writeMembers writes a publication and its members, these in the night's order.
func writeMembers(enc *json.Encoder, res segment.Result) error {
	if err := enc.Encode(member{Publication: &res.Publication}); err != nil {
		return err
	}
	for s, m := range res.Members.All() {
		if err := enc.Encode(member{Subject: s, Membership: m}); err != nil {
			return err
		}
	}
	return nil
}

// sendLines streams one JSON value per line.
func (r *reached) sendLines(ctx context.Context, path string, write func(*json.Encoder) error) error {
	body, to := io.Pipe()
	go func() { _ = to.CloseWithError(write(json.NewEncoder(to))) }()
	err := r.send(ctx, "POST", path, "", body, &struct{}{})
	_ = body.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // lets the writer go if nobody read to the end
	return err
}
