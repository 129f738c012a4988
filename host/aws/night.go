//go:build !lambda.norpc

package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// NightOptions say how a night works.
type NightOptions struct {
	// Missing is how many admitted events of a day the night goes on without.
	Missing int64
	// Progress is told how far a long step is. nil: nobody is.
	Progress func(step string, done, total int64)

	lease time.Duration // 0: leaseFor
}

// Night is one night's hold on an account, while no other night has it. It works in
// a folder: night/ the state between nights, exports/ what is published, days/ a
// copy of the compacted days. An empty folder is filled from the buckets.
type Night struct {
	h     *Host
	dir   string
	o     NightOptions
	lock  *nightLock
	state nightState
	shown shown
	etag  string // of the pointer

	cancel context.CancelCauseFunc
}

// BeginNight takes the account for one night, mends what a night that died left half
// done, and brings the folder up to date. The context that it gives ends when
// another night takes over.
func (h *Host) BeginNight(ctx context.Context, dir string, o NightOptions) (*Night, context.Context, error) {
	if o.Progress == nil {
		o.Progress = func(string, int64, int64) {}
	}
	if o.lease == 0 {
		o.lease = leaseFor
	}
	ctx, cancel := context.WithCancelCause(ctx)
	n := &Night{h: h, dir: dir, o: o, cancel: cancel}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		n.lock, err = h.lockNight(ctx, o.lease, cancel)
	}
	if err == nil {
		if err = n.bring(ctx); err != nil {
			err = errors.Join(err, n.lock.release())
		}
	}
	if err != nil {
		cancel(nil)
		return nil, nil, fmt.Errorf("beginning the night: %w", err)
	}
	return n, ctx, nil
}

func (n *Night) bring(ctx context.Context) (err error) {
	if n.shown, n.etag, err = n.h.shownExports(ctx); err != nil {
		return err
	}
	if err := n.h.mend(ctx, n.shown); err != nil {
		return err
	}
	if n.state, err = n.h.bringState(ctx, n.StateDir()); err != nil {
		return err
	}
	return n.h.bringExports(ctx, n.ExportsDir(), n.shown)
}

// StateDir is the folder of the state between nights.
func (n *Night) StateDir() string { return filepath.Join(n.dir, "night") }

// ExportsDir is the folder of the exports.
func (n *Night) ExportsDir() string { return filepath.Join(n.dir, "exports") }

// Publish shows the export that lies finished in its folder: its files go up first,
// then the pointer is swapped, which is the moment of publication, then the day gets
// what it reads. What is published already is not published again. Once the pointer
// is swapped nobody can stop it; if it fails all the same, that is an ErrShown.
func (n *Night) Publish(ctx context.Context, p flow.Publication, members *profile.Members) error {
	var err error
	if n.state, err = n.h.keepState(ctx, n.StateDir(), n.state); err != nil { // before anything rests on it: row keys must outlive what they named
		return fmt.Errorf("keeping the night's state: %w", err)
	}
	date := p.AsOf.UTC().Format(time.DateOnly)
	if n.shown.Run != p.Run || n.shown.Nights[date] != p.Run {
		if err := n.show(ctx, date, p, members); err != nil {
			return fmt.Errorf("publishing: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handFor)
	defer cancel()
	day, err := n.h.Published(ctx)
	if err == nil && day.Run != p.Run {
		err = n.h.Publish(ctx, p, members)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrShown, err)
	}
	n.after(ctx, p)
	return nil
}

// ErrShown means that the exports of a night are published but the day does not know
// what it found out. The next night hands that over first.
var ErrShown = errors.New("the exports are published, but the day was not told; the next start of the night mends that")

// ErrUnsure means that the pointer was put and nobody answered, nor let it be read
// again: the night is published as a whole, or not at all.
var ErrUnsure = errors.New("whether the exports are published is not known; the next start of the night finds out, and mends it")

// handFor is how long handing over may take once the exports are shown.
const handFor = 10 * time.Minute

func (n *Night) show(ctx context.Context, date string, p flow.Publication, members *profile.Members) error {
	if err := n.h.uploadExport(ctx, n.ExportsDir(), date, p.Run); err != nil {
		return err
	}
	if err := n.h.keepMembers(ctx, p.Run, members); err != nil {
		return err
	}
	next := shown{Run: p.Run, Publication: p, Nights: maps.Clone(n.shown.Nights)}
	next.Nights[date] = p.Run
	etag, err := n.h.putJSON(ctx, bucketExports, pointerKey, next, &swap{n.etag})
	if errors.Is(err, errUnsure) {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	if err != nil {
		return movedBy(err, "the publication")
	}
	n.shown, n.etag = next, etag
	return nil
}

// after tidies up. What fails here the next night does.
func (n *Night) after(ctx context.Context, p flow.Publication) {
	err := errors.Join(n.h.drop(ctx, bucketNight, []string{membersKey(p.Run)}), n.h.sweepExports(ctx, n.ExportsDir(), n.shown), n.retain(ctx, p.AsOf))
	if err != nil {
		n.h.opts.Log.Error("tidying up after the night failed; the next night tries again", "err", err)
	}
}

// Close lets go of the account.
func (n *Night) Close() error {
	n.cancel(nil)
	return n.lock.release()
}
