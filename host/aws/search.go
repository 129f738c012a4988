package aws

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// The indexes of decisions, as schema.go has them.
const (
	indexByTime    = "by_time"
	indexBySubject = "by_subject"
)

// The limits of a search.
const (
	searchDefault = 50
	searchMost    = 500
)

// search is one search on its way. from and to bound the order of what it may find.
type search struct {
	*Host
	q        flow.DecisionQuery
	from, to string
	limit    int
	found    []item
}

// SearchDecisions goes through a subject's decisions, or through the hours, newest
// first. The cursor is the last record's place; records that come later do not move
// what follows it. A record is found some moments after it was acknowledged.
func (h *Host) SearchDecisions(ctx context.Context, q flow.DecisionQuery) ([]decide.Record, string, error) {
	s := &search{Host: h, q: q, limit: min(cmp.Or(max(q.Limit, 0), searchDefault), searchMost)}
	if err := s.bound(); err != nil {
		return nil, "", fmt.Errorf("searching decisions: %w", err)
	}
	through := s.hours
	if !q.Subject.IsZero() {
		through = s.subject
	}
	if err := through(ctx); err != nil {
		return nil, "", fmt.Errorf("searching decisions: %w", err)
	}
	return s.answer(ctx)
}

var order = regexp.MustCompile(`^\d{13}#[0-9a-f]{8}#\d{20}$`)

// bound finds out between which places the search goes.
func (s *search) bound() error {
	from := s.q.From
	if k := s.kept(); k.After(from) {
		from = k
	}
	s.from, s.to = "0", "9999999999999$"
	if !from.IsZero() {
		s.from = fmt.Sprintf("%013d", max(from.UnixMilli(), 0))
	}
	if !s.q.To.IsZero() {
		s.to = fmt.Sprintf("%013d$", max(s.q.To.UnixMilli(), 0)) // after everything of that millisecond
	}
	if s.q.Cursor != "" {
		at, err := base64.RawURLEncoding.DecodeString(s.q.Cursor)
		if err != nil || !order.Match(at) {
			return errors.New("the cursor is not one of ours")
		}
		s.to = min(s.to, string(at))
	}
	return nil
}

// subject goes through what is about one subject.
func (s *search) subject(ctx context.Context) error {
	erased, err := s.erasedAmong(ctx, []consent.Subject{s.q.Subject})
	if err != nil || erased[s.q.Subject] {
		return err
	}
	return s.merge(ctx, []*newestFirst{s.ask(tableDecision, indexBySubject, "s", subjectKey(s.q.Subject), s.from, s.to).of(s.q.Action)})
}

// hours goes from hour to hour: of those that are listed, the newest first.
func (s *search) hours(ctx context.Context) error {
	tables := []string{tableDecision}
	if s.q.Action == "" || s.q.Action == decide.ActionPrice || s.q.Action == decide.ActionMove {
		tables = append(tables, tablePriced)
	}
	listed := make([]*newestFirst, len(tables))
	for i, table := range tables {
		listed[i] = s.ask(table, indexByTime, "slot", slotHours, hourIn(s.from), hourIn(s.to))
	}
	for len(s.found) <= s.limit {
		hour, in, err := nextHour(ctx, listed)
		if err != nil || hour == "" {
			return err
		}
		var parts []*newestFirst
		for _, i := range in {
			for shard := range uint32(shards) {
				parts = append(parts, s.ask(tables[i], indexByTime, "slot", slotOf(hour, shard), s.from, s.to).of(s.q.Action))
			}
		}
		if err := s.merge(ctx, parts); err != nil {
			return err
		}
	}
	return nil
}

// hourIn is the hour of a place.
func hourIn(place string) string {
	ms, err := strconv.ParseInt(place[:min(len(place), 13)], 10, 64)
	if err != nil || len(place) < 13 {
		return "0"
	}
	return hourName(time.UnixMilli(ms))
}

// nextHour takes the newest hour off the lists, and says which of them have it.
func nextHour(ctx context.Context, listed []*newestFirst) (hour string, in []int, err error) {
	for _, l := range listed {
		i, err := l.head(ctx)
		if err != nil {
			return "", nil, err
		}
		hour = max(hour, strOf(i, "at"))
	}
	for n, l := range listed {
		if len(l.page) > 0 && strOf(l.page[0], "at") == hour {
			in, l.page = append(in, n), l.page[1:]
		}
	}
	return hour, in, nil
}

// merge adds what the streams have, newest first, until one more than asked for is found.
func (s *search) merge(ctx context.Context, streams []*newestFirst) error {
	err := each(ctx, len(streams), 16, func(ctx context.Context, i int) error { _, err := streams[i].head(ctx); return err })
	if err != nil {
		return err
	}
	for len(s.found) <= s.limit {
		var best *newestFirst
		for _, x := range streams {
			i, err := x.head(ctx)
			if err != nil {
				return err
			}
			if i != nil && (best == nil || strOf(i, "at") > strOf(best.page[0], "at")) {
				best = x
			}
		}
		if best == nil {
			return nil
		}
		i := best.page[0]
		best.page = best.page[1:]
		if ok, err := s.fits(i); err != nil {
			return err
		} else if ok {
			s.found = append(s.found, i)
		}
	}
	return nil
}

// fits looks at the record itself: an index knows milliseconds only.
func (s *search) fits(i item) (bool, error) {
	var r decide.Record
	if err := json.Unmarshal(binOf(i, "body"), &r); err != nil {
		return false, fmt.Errorf("reading decision: %w", err)
	}
	q := s.q
	return strOf(i, "at") != s.cursor() && (q.Action == "" || r.Action == q.Action) && (q.Subject.IsZero() || r.Subject == q.Subject) &&
		(q.Rule == "" || slices.Contains(r.Rules, q.Rule)) && !r.Time.Before(q.From) && (q.To.IsZero() || r.Time.Before(q.To)) &&
		!r.Time.Before(s.kept()), nil
}

func (s *search) cursor() string {
	at, _ := base64.RawURLEncoding.DecodeString(s.q.Cursor)
	return string(at)
}

// answer gives the records that were asked for, and where to go on if there are more.
func (s *search) answer(ctx context.Context) ([]decide.Record, string, error) {
	cursor := ""
	if len(s.found) > s.limit {
		s.found = s.found[:s.limit]
		cursor = base64.RawURLEncoding.EncodeToString([]byte(strOf(s.found[s.limit-1], "at")))
	}
	out := make([]decide.Record, len(s.found))
	for n, i := range s.found {
		if err := json.Unmarshal(binOf(i, "body"), &out[n]); err != nil {
			return nil, "", fmt.Errorf("searching decisions: %w", err)
		}
	}
	if err := s.readable(ctx, out); err != nil {
		return nil, "", fmt.Errorf("searching decisions: %w", err)
	}
	return out, cursor, nil
}

// newestFirst gives what a query of an index finds, page by page, newest first.
type newestFirst struct {
	h    *Host
	q    dynamodb.QueryInput
	page []item
	done bool
}

// ask asks an index for one value of its key, between two places.
func (s *search) ask(table, index, key, value, from, to string) *newestFirst {
	is, back, size := "#k = :k AND #at BETWEEN :from AND :to", false, int32(s.limit/4+8)
	if s.q.Action != "" || s.q.Rule != "" {
		size = searchMost
	}
	return &newestFirst{h: s.Host, q: dynamodb.QueryInput{
		TableName: s.table(table), IndexName: &index, KeyConditionExpression: &is, ScanIndexForward: &back, Limit: &size,
		ExpressionAttributeNames:  map[string]string{"#k": key, "#at": "at"},
		ExpressionAttributeValues: item{":k": str(value), ":from": str(from), ":to": str(to)},
	}}
}

// of leaves to the table to drop other actions.
func (x *newestFirst) of(action string) *newestFirst {
	if only := "a = :a"; action != "" {
		x.q.FilterExpression, x.q.ExpressionAttributeValues[":a"] = &only, str(action)
	}
	return x
}

// head is the next item, nil at the end.
func (x *newestFirst) head(ctx context.Context) (item, error) {
	for len(x.page) == 0 && !x.done {
		out, err := x.h.db.Query(ctx, &x.q)
		if err != nil {
			return nil, x.h.fault("dynamodb:Query", "table "+*x.q.TableName, err)
		}
		x.page, x.q.ExclusiveStartKey = out.Items, out.LastEvaluatedKey
		x.done = len(out.LastEvaluatedKey) == 0
	}
	if len(x.page) == 0 {
		return nil, nil
	}
	return x.page[0], nil
}
