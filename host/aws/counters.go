package aws

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// tally is what this process has counted: for each hour the whole sum, which is
// written over the last one. So a try that was kept although it failed changes
// nothing when it is repeated.
type tally struct {
	mu    sync.Mutex
	hours map[string]*hourTally
	last  time.Time // of the last flush

	flushing sync.Mutex
}

// hourTally is one hour's sums, under a writer's name of its own.
type hourTally struct {
	writer string
	names  map[string]int64
	n      uint64 // of the version that was written last
	dirty  bool
}

// The terms of counting.
const (
	hourFormat   = "2006-01-02T15" // UTC
	countEvery   = time.Second
	countWait    = 500 * time.Millisecond // a decision waits no longer for a counter
	countHours   = 26                     // that a process holds sums of
	countDays    = 401                    // that sums are kept
	countHoursIn = countDays * 24         // of one question
)

func hourName(t time.Time) string { return t.UTC().Truncate(time.Hour).Format(hourFormat) }

// Count adds to this process's sums, and writes them if the last time was a second
// ago. Nothing acknowledged depends on a counter: what cannot be written now waits
// for the next call, and a process that is killed takes its last second with it.
func (h *Host) Count(ctx context.Context, at time.Time, names map[string]int64) error {
	if !h.tally.add(hourName(at), names) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, countWait)
	defer cancel()
	if err := h.flushCounts(ctx); err != nil {
		h.opts.Log.Warn("counters wait for the next try", "err", err)
	}
	return nil
}

// add says whether it is time to write.
func (t *tally) add(hour string, names map[string]int64) (due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hours == nil {
		t.hours = map[string]*hourTally{}
	}
	sums := t.hours[hour]
	if sums == nil {
		sums = &hourTally{writer: randomName(), names: map[string]int64{}}
		t.hours[hour] = sums
	}
	for name, n := range names {
		sums.names[name] += n
	}
	sums.dirty = true
	if due = time.Since(t.last) >= countEvery; due {
		t.last = time.Now()
	}
	return due
}

// flushCounts writes the sums of every hour that moved.
func (h *Host) flushCounts(ctx context.Context) error {
	h.tally.flushing.Lock()
	defer h.tally.flushing.Unlock()
	var all []error
	for hour, sums := range h.tally.moved() {
		if err := h.putCounts(ctx, hour, sums); err != nil {
			h.tally.stillDirty(hour)
			all = append(all, fmt.Errorf("writing counters: %w", err))
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

// moved gives what must be written, and lets go of hours long past.
func (t *tally) moved() map[string]hourTally {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := map[string]hourTally{}
	newest := ""
	for hour, sums := range t.hours {
		newest = max(newest, hour)
		if sums.dirty {
			sums.dirty = false
			sums.n++
			out[hour] = hourTally{writer: sums.writer, names: maps.Clone(sums.names), n: sums.n}
		}
	}
	if at, err := time.Parse(hourFormat, newest); err == nil && len(t.hours) > countHours {
		old := hourName(at.Add(-countHours * time.Hour))
		maps.DeleteFunc(t.hours, func(hour string, _ *hourTally) bool { _, moved := out[hour]; return hour < old && !moved })
	}
	return out
}

func (t *tally) stillDirty(hour string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if sums := t.hours[hour]; sums != nil {
		sums.dirty = true
	}
}

// putCounts replaces the sums of an hour unless newer ones are there: a late try
// must not set them back.
func (h *Host) putCounts(ctx context.Context, hour string, sums hourTally) error {
	names := item{}
	for name, n := range sums.names {
		names[name] = num(n)
	}
	newer := "attribute_not_exists(n) OR n <= :n"
	_, err := h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(tableCounter), ConditionExpression: &newer, ExpressionAttributeValues: item{":n": num(sums.n)},
		Item: item{
			"hour": str(hour), "writer": str(sums.writer), "names": &types.AttributeValueMemberM{Value: names}, "n": num(sums.n),
			"expires": num(h.now().AddDate(0, 0, countDays).Unix()),
		},
	})
	var behind *types.ConditionalCheckFailedException
	if errors.As(err, &behind) {
		return nil
	}
	return h.fault("dynamodb:PutItem", "table "+*h.table(tableCounter), err)
}

// Counts sums the hours that begin in [from, to) over all processes. What another
// process counted in the last second may be missing.
func (h *Host) Counts(ctx context.Context, from, to time.Time, prefix string) (map[string]int64, error) {
	if err := h.flushCounts(ctx); err != nil {
		return nil, err
	}
	hours, err := hoursIn(from, to)
	if err != nil {
		return nil, err
	}
	out, mu := map[string]int64{}, sync.Mutex{}
	err = each(ctx, len(hours), 16, func(ctx context.Context, i int) error {
		return h.countsOf(ctx, hours[i], func(name string, n int64) {
			mu.Lock()
			defer mu.Unlock()
			if strings.HasPrefix(name, prefix) {
				out[name] += n
			}
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading counters: %w", err)
	}
	return out, nil
}

func hoursIn(from, to time.Time) (out []string, err error) {
	first := from.UTC().Truncate(time.Hour)
	if first.Before(from) {
		first = first.Add(time.Hour)
	}
	if to.Sub(first) > countHoursIn*time.Hour {
		return nil, fmt.Errorf("reading counters: more than %d days", countDays)
	}
	for at := first; at.Before(to); at = at.Add(time.Hour) {
		out = append(out, at.Format(hourFormat))
	}
	return out, nil
}

// countsOf calls do for every sum of an hour.
func (h *Host) countsOf(ctx context.Context, hour string, do func(name string, n int64)) error {
	is := "#h = :h"
	q := &dynamodb.QueryInput{
		TableName: h.table(tableCounter), KeyConditionExpression: &is,
		ExpressionAttributeNames: map[string]string{"#h": "hour"}, ExpressionAttributeValues: item{":h": str(hour)},
	}
	return h.query(ctx, q, func(i item) error {
		if names, is := i["names"].(*types.AttributeValueMemberM); is {
			for name := range names.Value {
				do(name, numOf(names.Value, name))
			}
		}
		return nil
	})
}
