package aws

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/consent"
)

// Options say which account's storage to open, and how.
type Options struct {
	Prefix  string // of tables, streams and key aliases: handschlag-dev
	Buckets string // prefix of buckets, whose names are the world's: handschlag-dev-123456789012
	Tenant  string
	Account Account
	Clock   func() time.Time // server time
	Log     *slog.Logger
	Retain  Retain
	Invalid consent.Invalidations // as host/local

	// Sequence lets a long-lived process grow the ledger by itself this often. Zero
	// leaves that to whoever calls Sequence: the consent function, once a minute.
	Sequence time.Duration
	// Parts are what the caller's role reaches; others are not opened. nil: all.
	Parts []Part

	batchMost int // leaves in one batch; tests make small ones
}

// Part names keys that a role may or may not reach.
type Part string

// The parts that hold secrets.
const (
	PartIdentity Part = "identity" // the identity map and the key of its hashes
	PartLedger   Part = "ledger"   // the ledger's signing key
)

// Retain says how long things are kept (config.Retention).
type Retain struct {
	EventDays, DecisionDays, SegmentDays int
	ListYears, ProofYears                int
}

// Host is an account's storage, as one process reaches it.
type Host struct {
	opts Options
	db   *dynamodb.Client
	s3   *s3.Client
	fire *firehose.Client
	kms  *kms.Client
	keys *secrets

	chain chain // decisions.go
	tally tally // counters.go
	memo  memo  // control.go
	hints hints // ahead.go
	trust trust // trust.go

	stop   chan struct{}
	work   sync.WaitGroup
	closed sync.Once
}

// Open reads the keys that the role reaches. Whoever opens with PartLedger makes those
// that nobody made yet; for all others that is ErrNoKeys. An error is one line that
// names the resource and the right.
func Open(ctx context.Context, opts Options) (*Host, error) {
	if opts.Clock == nil {
		opts.Clock = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.batchMost == 0 {
		opts.batchMost = batchMost
	}
	h := &Host{opts: opts, stop: make(chan struct{})}
	h.db, h.s3, h.fire, h.kms = opts.Account.clients()
	var err error
	if h.keys, err = h.openSecrets(ctx); err != nil {
		return nil, err
	}
	if err := h.openChain(); err != nil {
		return nil, err
	}
	if opts.Sequence > 0 {
		h.work.Go(func() { h.sequencer(h.stop) })
	}
	return h, nil
}

// Close writes the counts that are on their way and stops the sequencer.
func (h *Host) Close() (err error) {
	h.closed.Do(func() {
		close(h.stop)
		h.work.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = h.flushCounts(ctx)
		if h.opts.Sequence > 0 {
			err = errors.Join(err, h.Sequence(ctx))
		}
	})
	return err
}

func (h *Host) has(p Part) bool {
	if h.opts.Parts == nil {
		return true
	}
	for _, x := range h.opts.Parts {
		if x == p {
			return true
		}
	}
	return false
}

// table gives a table's full name.
func (h *Host) table(name string) *string { return sdk.String(h.opts.Prefix + "-" + name) }

// bucket gives a bucket's full name.
func (h *Host) bucket(name string) *string { return sdk.String(h.opts.Buckets + "-" + name) }

// stream gives a delivery stream's full name.
func (h *Host) stream(name string) *string { return sdk.String(h.opts.Prefix + "-" + name) }

// alias gives a KMS key's alias.
func (h *Host) alias(name string) *string {
	return sdk.String("alias/" + h.opts.Prefix + "-" + name)
}

// now is server time, to the millisecond that is kept.
func (h *Host) now() time.Time { return h.opts.Clock().UTC().Truncate(time.Millisecond) }
