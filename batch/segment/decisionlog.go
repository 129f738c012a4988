package segment

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

// decisionLog is what the snapshot's decision records before as of say, beside the lots of
// tables offered, contents and contacts. The log of 90 days is the largest text that a
// night reads, so it is read once.
type decisionLog struct {
	since   time.Time                   // of the oldest; zero: there is none
	counts  map[string]int64            // by action
	offers  map[string]int64            // subjects by the rung that the ladder ended on
	reasons map[string]map[string]int64 // the same by rung and rule
	acks    []flow.ExportAck            // each with the SHA-256 of the file that it was given for, if that is known
}

// logged is what is read of a decide.Record.
type logged struct {
	ID      string          `json:"decision_id"`
	Time    time.Time       `json:"time"`
	Action  string          `json:"action"`
	Subject consent.Subject `json:"subject"`
	Input   jsontext.Value  `json:"input"`
	Digests struct {
		Scorecard string `json:"scorecard"`
		Weights   string `json:"weights"`
	} `json:"digests"`
	Rules  []string       `json:"rules"`
	PPM    int64          `json:"propensity_ppm"`
	Result jsontext.Value `json:"result"`
	Actor  string         `json:"actor"`
	Erased string         `json:"erased"`
}

// lot reports whether a lot was drawn for somebody whom the record still names.
func (r *logged) lot() bool { return r.Erased == "" && !r.Subject.IsZero() && r.PPM != 0 }

// logReader reads records one by one. Those about prices are copied for DuckDB, which
// parses them all.
type logReader struct {
	*decisionLog
	features                []string // of offered, in order
	offer, content, contact func(...any) error
	prices                  *bufio.Writer
	ladder                  ladder
}

// readLog reads decisions.ndjson: it fills tables offered, contents and contacts, and makes
// view price_decisions of the records about prices. One that was erased has no input.
func (n *night) readLog(ctx context.Context) error {
	n.log = decisionLog{counts: map[string]int64{}, offers: map[string]int64{}, reasons: map[string]map[string]int64{}}
	apart := filepath.Join(n.db.spill, "prices.ndjson")
	f, err := os.OpenFile(apart, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	prices := bufio.NewWriterSize(f, 1<<16)
	err = n.db.fillAll([]string{"offered", "contents", "contacts"}, func(add []func(...any) error) error {
		l := logReader{&n.log, n.trialFeatures, add[0], add[1], add[2], prices, ladder{places: map[string]int{}, met: map[met]uint64{}}}
		return l.read(filepath.Join(n.in.Snapshot, "decisions.ndjson"), n.in.AsOf)
	})
	if err := errors.Join(err, prices.Flush(), f.Close()); err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	err = n.db.show(ctx, "price_decisions", "select time as decided_at, input, result from read_json("+quote(apart)+
		", format = 'newline_delimited', columns = {time: 'timestamp', input: 'json', result: 'json'})")
	if err != nil {
		return fmt.Errorf("reading decisions: %w", err)
	}
	return n.db.tell(ctx, "contents")
}

func (l *logReader) read(path string, asOf time.Time) error {
	var r logged
	return eachLine(path, func(line []byte) error {
		r = logged{Input: r.Input[:0], Result: r.Result[:0], Rules: r.Rules[:0]}
		if err := readJSON(line, &r); err != nil {
			return err
		}
		if !r.Time.Before(asOf) {
			return nil
		}
		if l.since.IsZero() || r.Time.Before(l.since) {
			l.since = r.Time
		}
		l.counts[r.Action]++
		if err := l.take(&r, line); err != nil {
			return fmt.Errorf("decision %s: %w", r.ID, err)
		}
		return nil
	})
}

// readJSON reads a value of a decision record, several times faster than encoding/json.
func readJSON(body []byte, into any) error { return json.Unmarshal(body, into, lenient) }

var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

func (l *logReader) take(r *logged, line []byte) error {
	switch r.Action {
	case decide.ActionEscalate:
		return l.escalated(r)
	case decide.ActionVariant:
		return l.drawn(r)
	case decide.ActionHandover:
		return l.closed(r)
	case decide.ActionExport:
		l.acknowledged(r)
	case decide.ActionPrice:
		_, err := l.prices.Write(line)
		return cmp.Or(err, l.prices.WriteByte('\n'))
	}
	return nil
}

// acknowledged notes a recipient's word. Other records of exports have none.
func (l *logReader) acknowledged(r *logged) {
	var in struct {
		Ack *flow.ExportAck `json:"ack"`
	}
	var out struct {
		SHA256 string `json:"sha256"`
	}
	if readJSON(r.Input, &in) == nil && in.Ack != nil {
		_ = readJSON(r.Result, &out)
		in.Ack.SHA256 = out.SHA256
		l.acks = append(l.acks, *in.Ack)
	}
}
