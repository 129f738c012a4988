//go:build !lambda.norpc

package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/handschlag/handschlag/consent/ledger"
)

// lockKey is the object that keeps a second night out.
const lockKey = "lock.json"

// leaseFor is how long a night that fell silent keeps others out; it renews its lease
// three times within it.
const leaseFor = 3 * time.Minute

// lease is lock.json.
type lease struct {
	Holder string    `json:"holder"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"`
}

// nightLock is a lease that is renewed until it is let go, or lost.
type nightLock struct {
	h    *Host
	is   lease
	etag string
	wait time.Duration // of a lease
	stop chan struct{}
	done chan struct{}
}

// lockNight takes the lease. lost is called if somebody else has it all the same.
func (h *Host) lockNight(ctx context.Context, wait time.Duration, lost func(error)) (*nightLock, error) {
	now := time.Now().UTC() // not the shop's clock: a lease is about processes
	l := &nightLock{h: h, is: lease{randomName(), now, now.Add(wait)}, wait: wait, stop: make(chan struct{}), done: make(chan struct{})}
	body, etag, err := h.readObject(ctx, bucketNight, lockKey)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var held lease
	if err == nil && json.Unmarshal(body, &held) == nil && now.Before(held.Until) {
		return nil, fmt.Errorf("another night has been running since %s; its lease ends at %s", held.Since.Format(time.RFC3339), held.Until.Format(time.RFC3339))
	}
	if err := l.write(ctx, &swap{etag}); err != nil {
		if errors.Is(err, ledger.ErrMoved) {
			err = errors.New("another night began at the same moment")
		}
		return nil, err
	}
	go l.renew(lost)
	return l, nil
}

func (l *nightLock) write(ctx context.Context, is *swap) (err error) {
	body, err := json.Marshal(l.is)
	if err != nil {
		return err
	}
	l.etag, err = l.h.swapObject(ctx, bucketNight, lockKey, body, is)
	return err
}

// renew extends the lease while the night runs. That it could not is no loss as long
// as the lease lasts; that somebody else has it is.
func (l *nightLock) renew(lost func(error)) {
	defer close(l.done)
	tick := time.NewTicker(l.wait / 3)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		until := l.is.Until
		ctx, cancel := context.WithTimeout(context.Background(), l.wait/3)
		l.is.Until = time.Now().UTC().Add(l.wait)
		was := l.etag
		err := l.write(ctx, &swap{l.etag})
		cancel()
		if err == nil {
			continue
		}
		l.is.Until, l.etag = until, was
		if errors.Is(err, ledger.ErrMoved) || time.Now().After(until) {
			lost(errors.New("another night took over: this one was silent for too long"))
			return
		}
		l.h.opts.Log.Warn("renewing the night's lease", "error", err)
	}
}

// release lets the lease go, if it is still this night's.
func (l *nightLock) release() error {
	close(l.stop)
	<-l.done
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, etag, err := l.h.readObject(ctx, bucketNight, lockKey)
	if errors.Is(err, fs.ErrNotExist) || err == nil && etag != l.etag {
		return nil
	}
	if err != nil {
		return err
	}
	return l.h.drop(ctx, bucketNight, []string{lockKey})
}
