package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/local"
	"github.com/handschlag/handschlag/policy"
)

// auditRoutes answer what auditors ask of the folder: the policy in force, kept
// documents, and decisions and cases of a range, line by line.
func (sh *shop) auditRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /admin/policy", sh.admin(sh.policyInForce))
	mux.HandleFunc("GET /admin/documents/{digest}", sh.admin(sh.document))
	mux.HandleFunc("GET /admin/records", sh.streamed(sh.records))
	mux.HandleFunc("GET /admin/opa", sh.streamed(sh.opa))
	mux.HandleFunc("GET /admin/cases", sh.streamed(sh.cases))
	mux.HandleFunc("GET /admin/newest", sh.admin(sh.newest))
}

// policyAnswer is the policy in force, with what an audit must know of the
// configuration.
type policyAnswer struct {
	Digests      decide.Digests  `json:"digests"`
	Settings     policy.Settings `json:"settings"`
	RequireStamp bool            `json:"require_stamp"`
	Now          time.Time       `json:"now"`
	DecisionDays int             `json:"decision_days"`
}

func (sh *shop) policyInForce(*http.Request) (any, error) {
	digests, documents := sh.flow.Policy()
	settings, err := policy.SettingsOf(documents[digests.Policy])
	return policyAnswer{
		Digests: digests, Settings: settings, RequireStamp: sh.cfg.Events.RequireStamp, Now: sh.clock.Now(), DecisionDays: sh.cfg.Retention.DecisionDays,
	}, err
}

// newestAnswer is when the last decision was made and the last event received; zero
// if there is none.
type newestAnswer struct {
	Now      time.Time `json:"now"`
	Decision time.Time `json:"decision"`
	Event    time.Time `json:"event"`
}

func (sh *shop) newest(r *http.Request) (any, error) {
	out := newestAnswer{Now: sh.clock.Now()}
	last, _, err := sh.host.SearchDecisions(r.Context(), flow.DecisionQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(last) > 0 {
		out.Decision = last[0].Time
	}
	out.Event, err = sh.host.NewestEvent(r.Context())
	return out, err
}

// newest asks for it.
func (r *reached) newest(ctx context.Context) (out newestAnswer, err error) {
	err = r.call(ctx, "GET", "/admin/newest", nil, &out)
	return out, err
}

// last is the newer of the two.
func (n newestAnswer) last() time.Time {
	if n.Event.After(n.Decision) {
		return n.Event
	}
	return n.Decision
}

// longAgo is how far the wall clock must be past the newest of a folder for it to
// look like a demo or a copy: a shop that is alive decides every day.
const longAgo = 90 * 24 * time.Hour

// forgotten reports that the newest lies long ago by a clock that nobody set.
func (n newestAnswer) forgotten() bool {
	return os.Getenv("HANDSCHLAG_CLOCK") == "" && !n.last().IsZero() && n.Now.Sub(n.last()) > longAgo
}

// keptDocument is a document that decisions name.
type keptDocument struct {
	Digest string `json:"digest"`
	Body   []byte `json:"body"`
}

func (sh *shop) document(r *http.Request) (any, error) {
	digest, body, err := sh.host.FindDocument(r.Context(), r.PathValue("digest"))
	if errors.Is(err, flow.ErrNotFound) {
		err = fmt.Errorf("no document is kept whose digest begins %q", r.PathValue("digest"))
	}
	return keptDocument{digest, body}, err
}

// streamed writes an answer in lines. What goes wrong before the first line is told;
// after it, the answer breaks off: half a list must not look like a whole one.
func (sh *shop) streamed(do func(r *http.Request, line func([]byte) error) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, begun := bufio.NewWriterSize(w, 1<<16), false
		err := do(r, func(b []byte) error {
			begun = true
			_, err := out.Write(b)
			return errors.Join(err, out.WriteByte('\n'))
		})
		if err == nil {
			err = out.Flush()
		}
		if err != nil && !begun {
			sh.admin(func(*http.Request) (any, error) { return nil, err })(w, r)
		} else if err != nil {
			sh.log.Error("answering an audit", "error", err)
			panic(http.ErrAbortHandler)
		}
	}
}

// inRange reads from and to of a call; an absent one does not narrow.
func inRange(r *http.Request) (from, to time.Time, err error) {
	for name, at := range map[string]*time.Time{"from": &from, "to": &to} {
		if s := r.URL.Query().Get(name); s != "" && err == nil {
			*at, err = time.Parse(time.RFC3339Nano, s)
		}
	}
	return from, to, err
}

func (sh *shop) records(r *http.Request, line func([]byte) error) error {
	from, to, err := inRange(r)
	if err != nil {
		return err
	}
	return sh.host.ScanDecisions(r.Context(), from, to, line)
}

// usedCase is a line of an answer about cases: how often one was used, a case that no
// stored event names (used 0 times), or an hourly counter of refusals.
type usedCase struct {
	Policy  string          `json:"policy,omitempty"` // short digest
	Purpose consent.Purpose `json:"purpose,omitempty"`
	ID      event.CaseID    `json:"id,omitempty"`
	Keep    event.FieldSet  `json:"keep,omitempty"`
	Case    json.RawMessage `json:"case,omitempty"` // missing if nobody kept it
	Counter string          `json:"counter,omitempty"`
	N       int64           `json:"n"`
}

func (sh *shop) cases(r *http.Request, line func([]byte) error) error {
	from, to, err := inRange(r)
	if err != nil {
		return err
	}
	known, err := sh.host.ReadCases(r.Context())
	if err != nil {
		return err
	}
	uses, err := sh.host.CaseUses(r.Context(), from, to)
	if err != nil {
		return err
	}
	tell := func(u usedCase) error {
		b, err := json.Marshal(u)
		if err != nil {
			return err
		}
		return line(b)
	}
	return errors.Join(tellUses(uses, known, tell), sh.tellRefusals(r, from, to, tell))
}

// tellUses tells what was used, most often first, and then what was not.
func tellUses(uses map[local.CaseUse]int64, known map[event.CaseID][]byte, tell func(usedCase) error) error {
	used := map[event.CaseID]bool{}
	most := slices.SortedFunc(maps.Keys(uses), func(a, b local.CaseUse) int {
		return cmp.Or(cmp.Compare(uses[b], uses[a]), cmp.Compare(a.Case, b.Case), cmp.Compare(a.Policy, b.Policy))
	})
	for _, u := range most {
		used[u.Case] = true
		if err := tell(usedCase{Policy: u.Policy, Purpose: u.Purpose, ID: u.Case, Keep: u.Keep, Case: known[u.Case], N: uses[u]}); err != nil {
			return err
		}
	}
	for _, id := range slices.Sorted(maps.Keys(known)) {
		if !used[id] {
			if err := tell(usedCase{ID: id, Case: known[id]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (sh *shop) tellRefusals(r *http.Request, from, to time.Time, tell func(usedCase) error) error {
	counts, err := sh.host.Counts(r.Context(), from, to, "refused/")
	if err != nil {
		return err
	}
	for name, n := range counts {
		if err := tell(usedCase{Counter: name, N: n}); err != nil {
			return err
		}
	}
	return nil
}
