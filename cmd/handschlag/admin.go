package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// adminHandler is what DATA/admin.sock answers: the API's own routes for
// whoever owns the data folder, and what the night needs. Commands reach it
// through the socket while a server runs, and in their own process when none does.
func (sh *shop) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/", sh.asOwner())
	mux.HandleFunc("POST /admin/night", sh.admin(sh.beginNight))
	mux.HandleFunc("POST /admin/standings", sh.admin(sh.standings))
	mux.HandleFunc("POST /admin/decisions", sh.admin(sh.takeDecisions))
	mux.HandleFunc("POST /admin/publish", sh.admin(sh.publish))
	mux.HandleFunc("GET /admin/papers", sh.admin(sh.papers))
	mux.HandleFunc("POST /admin/explain", sh.streamed(sh.explain))
	mux.HandleFunc("POST /admin/names", sh.admin(sh.names))
	mux.HandleFunc("GET /admin/events/{day}", sh.events)
	sh.ledgerRoutes(mux)
	sh.auditRoutes(mux)
	return mux
}

// The owner's own credentials never leave the process: asOwner puts them on.
const (
	ownerKey   = "owner of the data folder"
	ownerToken = "owner-of-the-data-folder"
)

// asOwner serves the API with the server key's right, or the staff's where a
// route is theirs. Whoever can open the socket (0600) can read the folder anyway.
func (sh *shop) asOwner() http.Handler {
	staff, err := api.StaticStaff("dpo/owner:" + ownerToken + ",marketing/owner:" + ownerToken + ",ops/owner:" + ownerToken)
	if err != nil {
		panic(err) // of our own making
	}
	inner := api.New(sh.flow, api.Options{
		ServerKey: ownerKey, Staff: staff, Contact: sh.cfg.Contact, Version: version, Log: sh.log, Now: sh.clock.Now, Gate: sh.gate,
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Owner-As") == "staff" {
			r.Header.Set("Authorization", "Bearer "+ownerToken)
		} else {
			r.SetBasicAuth(ownerKey, "")
		}
		inner.ServeHTTP(w, r)
	})
}

// admin answers with JSON, or with the one line that failed.
func (sh *shop) admin(do func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		out, err := do(r)
		if err == nil {
			err = json.NewEncoder(w).Encode(out)
		}
		if err != nil {
			w.WriteHeader(http.StatusInternalServerError)
			_ = json.NewEncoder(w).Encode(api.Problem{Error: api.Wrong{Code: "failed", Detail: oneLine(err)}})
		}
	}
}

// nightCall asks for a snapshot; folders are of the same machine and owner.
type nightCall struct {
	Through time.Time `json:"through"`
	Dir     string    `json:"dir"`
	Again   bool      `json:"again,omitempty"` // a night of an earlier date than the published one is meant
}

// nightAnswer is what the night must know of the shop that made its snapshot.
type nightAnswer struct {
	Config     []byte    `json:"config"` // handschlag.yaml as served
	Now        time.Time `json:"now"`
	ExportsOff bool      `json:"exports_off"`
}

// readNightCall reads a call and checks the time.
func (sh *shop) readNightCall(r *http.Request) (nightCall, error) {
	var in nightCall
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return in, fmt.Errorf("reading the call: %w", err)
	}
	return in, sh.gate()
}

// beginNight writes a snapshot. Nothing that is still to come may be in it.
func (sh *shop) beginNight(r *http.Request) (any, error) {
	in, err := sh.readNightCall(r)
	if err != nil {
		return nil, err
	}
	now := sh.clock.Now()
	if err := in.due(r.Context(), sh.host, now); err != nil {
		return nil, err
	}
	if err := sh.host.Snapshot(r.Context(), in.Through, in.Dir); err != nil {
		return nil, fmt.Errorf("writing the snapshot: %w", err)
	}
	off, err := exportsOff(r.Context(), sh.host)
	return nightAnswer{Config: sh.yaml, Now: now, ExportsOff: off}, err
}

// due refuses a night of what is still to come, and keeps a mistyped date from
// replacing what the day reads with less. The published date itself may run again.
func (in nightCall) due(ctx context.Context, of flow.Nights, now time.Time) error {
	if in.Through.After(now) {
		return fmt.Errorf("%s is still to come: it is %s", in.Through.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	p, err := of.Published(ctx)
	if err != nil {
		return fmt.Errorf("reading the publication: %w", err)
	}
	if in.Through.Before(p.AsOf) && !in.Again {
		return fmt.Errorf("%s is before %s, whose night is published: --again replaces it all the same", in.Through.Format(time.DateOnly), p.AsOf.Format(time.DateOnly))
	}
	return nil
}

func exportsOff(ctx context.Context, of flow.Switches) (bool, error) {
	switches, err := of.AllSwitches(ctx)
	if err != nil {
		return false, fmt.Errorf("reading switches: %w", err)
	}
	exports, set := switches[flow.SwitchExports]
	return set && !exports.On, nil
}

// standingsAnswer is what else may have changed since the snapshot.
type standingsAnswer struct {
	ExportsOff bool `json:"exports_off"`
}

// standings reads consent and the exports switch once more, right before publication.
func (sh *shop) standings(r *http.Request) (any, error) {
	in, err := sh.readNightCall(r)
	if err != nil {
		return nil, err
	}
	if err := sh.host.Standings(r.Context(), in.Dir); err != nil {
		return nil, fmt.Errorf("writing standings: %w", err)
	}
	off, err := exportsOff(r.Context(), sh.host)
	return standingsAnswer{off}, err
}

// takeDecisions makes the night's decision records durable, in their order. What a
// run that died before it published left here already is not taken again: its ids
// come from what was decided.
func (sh *shop) takeDecisions(r *http.Request) (any, error) {
	n := 0
	err := lines(r.Body, func(rec decide.Record) error {
		stored, err := decideOnce(r.Context(), sh.host, rec)
		if stored {
			n++
		}
		return err
	})
	return struct {
		Stored int `json:"stored"`
	}{n}, err
}

// decideOnce makes a record durable unless it is there already, and says whether it did.
func decideOnce(ctx context.Context, in flow.Decisions, rec decide.Record) (stored bool, err error) {
	if _, err := in.Decision(ctx, rec.ID); !errors.Is(err, flow.ErrNotFound) {
		return false, err
	}
	err = in.AppendDecision(ctx, &rec)
	return err == nil, err
}

// storedEvent is a stored event as a person reads it.
type storedEvent struct {
	Subject  consent.Subject              `json:"subject"`
	Kind     string                       `json:"kind"`
	Occurred time.Time                    `json:"occurred_at"`
	Received time.Time                    `json:"received_at"`
	Purposes []consent.Purpose            `json:"purposes"`
	Kept     map[consent.Purpose][]string `json:"kept"` // names of the fields, by purpose
	Fields   event.Fields                 `json:"fields"`
	Policy   string                       `json:"policy"`
}

// events writes a day's stored events, a line each. What goes wrong on the way
// breaks the answer off: half a list must not look like a whole one.
func (sh *shop) events(w http.ResponseWriter, r *http.Request) {
	enc := json.NewEncoder(w)
	err := sh.host.DayEvents(r.Context(), r.PathValue("day"), func(row event.Row) error {
		e := row.Event()
		out := storedEvent{Subject: e.Subject, Kind: e.Kind.String(), Occurred: e.OccurredAt, Received: e.ReceivedAt, Kept: map[consent.Purpose][]string{}, Fields: row.Fields, Policy: e.Policy}
		for _, g := range e.Grants() {
			out.Purposes, out.Kept[g.Purpose] = append(out.Purposes, g.Purpose), g.Keep.Names()
		}
		return enc.Encode(out)
	})
	if err != nil {
		sh.log.Error("listing events", "error", err)
		panic(http.ErrAbortHandler)
	}
}

// member is a line of a publication.
type member struct {
	Publication *flow.Publication  `json:"publication,omitempty"` // on the first line
	Subject     consent.Subject    `json:"subject"`
	Membership  profile.Membership `json:"membership"`
}

// publish replaces what the day reads of the night, in one step.
func (sh *shop) publish(r *http.Request) (any, error) {
	var p *flow.Publication
	members := &profile.Members{}
	err := lines(r.Body, func(m member) error {
		if m.Publication != nil {
			p = m.Publication
			return nil
		}
		members.Add(m.Subject, m.Membership)
		return nil
	})
	if err == nil && p == nil {
		err = errors.New("reading the publication: it is missing")
	}
	if err != nil {
		return nil, err
	}
	return struct{}{}, sh.host.Publish(r.Context(), *p, members)
}

// lines reads one JSON value per line.
func lines[T any](r io.Reader, each func(T) error) error {
	dec := json.NewDecoder(bufio.NewReader(r))
	for {
		var v T
		switch err := dec.Decode(&v); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading line: %w", err)
		}
		if err := each(v); err != nil {
			return err
		}
	}
}

// adminSocket names the socket in a data folder.
func adminSocket(dir string) string { return filepath.Join(dir, "admin.sock") }

// listenAdmin makes the socket, for the owner alone. Whoever holds the folder's
// lock may remove what a killed server left.
func listenAdmin(dir string) (net.Listener, error) {
	path, free, err := shortPath(dir)
	if err != nil {
		return nil, err
	}
	defer free()
	if err := os.Remove(adminSocket(dir)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("making admin.sock: %w", err)
	}
	ln, err := net.Listen("unix", adminSocket(path))
	if err != nil {
		return nil, fmt.Errorf("making admin.sock: %w", err)
	}
	if err := os.Chmod(adminSocket(dir), 0o600); err != nil {
		_ = ln.Close()
		return nil, fmt.Errorf("making admin.sock: %w", err)
	}
	return ln, nil
}
