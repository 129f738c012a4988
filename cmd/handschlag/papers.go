package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// papersAnswer is what paperwork is filled in from: the configuration as served, and
// what is true of the folder now.
type papersAnswer struct {
	Config    []byte                                       `json:"config"` // handschlag.yaml as served
	Now       time.Time                                    `json:"now"`
	Policy    string                                       `json:"policy"`
	Verdicts  map[consent.Purpose]policy.ProcessingVerdict `json:"verdicts"`
	Deployed  map[consent.Purpose][]string                 `json:"deployed"`
	Words     []policy.Reason                              `json:"words"`
	Published time.Time                                    `json:"published"` // as of; zero before the first night
	Oldest    map[string]time.Time                         `json:"oldest"`    // by class of data
	Sent      map[string]sent                              `json:"sent"`      // by recipient
	Controls  map[string]*answers                          `json:"controls"`  // by UI version
}

// sent is what a recipient's files of the kept nights held.
type sent struct {
	Files int       `json:"files"`
	Rows  int64     `json:"rows"`
	Last  time.Time `json:"last"` // as of
}

// answers are what visitors chose on a version of a control.
type answers struct {
	Records int `json:"records"`
	AllYes  int `json:"all_yes"`
	Some    int `json:"some"`
	AllNo   int `json:"all_no"`
}

// papers is a page of paperwork in the making.
type papers struct {
	papersAnswer
	cfg    *config.Config
	words  map[string]policy.Reason
	newest newestAnswer
}

// ask reads what is true now, and the configuration behind it.
func askPapers(ctx context.Context, p place, s streams, do func(papers) error) error {
	return p.within(ctx, s, func(r *reached) error {
		var out papers
		if err := r.call(ctx, "GET", "/admin/papers", nil, &out.papersAnswer); err != nil {
			return err
		}
		var err error
		if out.cfg, err = config.Parse(out.Config); err != nil {
			return fmt.Errorf("reading the shop's configuration: %w", err)
		}
		if out.newest, err = r.newest(ctx); err != nil {
			return err
		}
		out.words = map[string]policy.Reason{}
		for _, w := range out.Words {
			out.words[w.Rule] = w
		}
		return do(out)
	})
}

// papers answers with the facts.
func (sh *shop) papers(r *http.Request) (any, error) {
	register, features, words, err := sh.flow.Paperwork(r.Context())
	if err != nil {
		return nil, err
	}
	digests, _ := sh.flow.Policy()
	out := papersAnswer{
		Config: sh.yaml, Now: sh.clock.Now(), Policy: digests.Policy, Deployed: features, Verdicts: map[consent.Purpose]policy.ProcessingVerdict{},
		Oldest: map[string]time.Time{}, Sent: map[string]sent{}, Controls: map[string]*answers{},
	}
	var ids []string
	for _, p := range consent.Purposes {
		v := register.Verdict(p)
		out.Verdicts[p] = v
		ids = append(ids, v.Rules...)
		for _, of := range []map[string][]string{v.Dropped, v.Blocked} {
			for _, why := range of {
				ids = append(ids, why...)
			}
		}
	}
	out.Words = words(ids)
	if p, err := sh.host.Published(r.Context()); err == nil {
		out.Published, out.Oldest["segments"] = p.AsOf, p.AsOf
	}
	return out, errors.Join(sh.oldest(r.Context(), out.Oldest), sh.sent(out.Sent), sh.controls(r.Context(), out.Controls, out.Oldest))
}

// errEnough ends a scan that has seen what it wanted.
var errEnough = errors.New("errEnough")

// oldest finds the oldest of each class of data.
func (sh *shop) oldest(ctx context.Context, into map[string]time.Time) error {
	for class, pattern := range map[string]string{
		"events": "events/dt=*", "features": "night/daily/day=*", "exports": "exports/*",
	} {
		found, err := filepath.Glob(filepath.Join(sh.dir, filepath.FromSlash(pattern)))
		if err != nil {
			return fmt.Errorf("looking for the oldest %s: %w", class, err)
		}
		for _, path := range found {
			name := filepath.Base(path)
			if day, err := time.Parse(time.DateOnly, name[strings.LastIndexByte(name, '=')+1:]); err == nil && (into[class].IsZero() || day.Before(into[class])) {
				into[class] = day
			}
		}
	}
	err := sh.host.ScanDecisions(ctx, time.Time{}, time.Time{}, func(b []byte) error {
		var r decide.Record
		err := json.Unmarshal(b, &r)
		into["decisions"] = r.Time
		return cmp.Or(err, errEnough)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	return nil
}

// sent adds up what the manifests of the kept nights list.
func (sh *shop) sent(into map[string]sent) error {
	manifests, err := filepath.Glob(filepath.Join(sh.dir, "exports", "*", "manifest.json"))
	if err != nil {
		return fmt.Errorf("looking for exports: %w", err)
	}
	for _, path := range manifests {
		var m struct {
			AsOf  time.Time `json:"as_of"`
			Files []struct {
				Name, Kind, Recipient string
				Rows                  int64
			} `json:"files"`
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err = errors.Join(err, json.Unmarshal(b, &m)); err != nil {
			return fmt.Errorf("reading %s: %w", filepath.Base(filepath.Dir(path)), err)
		}
		for _, f := range m.Files {
			if f.Recipient == "" || f.Kind != "segment" || strings.HasSuffix(f.Name, ".parquet") { // each list lies there twice
				continue
			}
			x := into[f.Recipient]
			x.Files, x.Rows = x.Files+1, x.Rows+f.Rows
			if m.AsOf.After(x.Last) {
				x.Last = m.AsOf
			}
			into[f.Recipient] = x
		}
	}
	return nil
}

// controls counts what was chosen on each version of a control, and finds the oldest
// consent record on the way.
func (sh *shop) controls(ctx context.Context, into map[string]*answers, oldest map[string]time.Time) error {
	err := sh.host.ScanRecords(ctx, consent.Subject{}, func(r consent.Record) error {
		if first := oldest["consents"]; first.IsZero() || r.Event.Time.Before(first) {
			oldest["consents"] = r.Event.Time
		}
		a := into[r.UI.Version]
		if a == nil {
			a = &answers{}
			into[r.UI.Version] = a
		}
		yes := 0
		for _, c := range r.Purposes {
			if c.Status.Valid() {
				yes++
			}
		}
		a.Records++
		switch {
		case yes == 0:
			a.AllNo++
		case yes == len(r.Purposes):
			a.AllYes++
		default:
			a.Some++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading consent records: %w", err)
	}
	return nil
}

// why says rules in words, in a language.
func (p papers) why(ids []string, lang string) string {
	var out []string
	for _, id := range ids {
		w, known := p.words[id]
		text := w.En
		if lang == "de" {
			text = w.De
		}
		if !known {
			text = "?"
		}
		out = append(out, id+" "+text)
	}
	return strings.Join(out, " · ")
}

// text is a text in a language, or in the other if there is none.
func text(of map[string]string, lang string) string {
	return cmp.Or(of[lang], of["en"], of["de"])
}

// table prints rows as CSV.
func (s streams) table(header []string, rows [][]string) error {
	w := csv.NewWriter(s.out)
	if err := w.Write(header); err != nil {
		return err
	}
	if err := w.WriteAll(rows); err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

func joinOr(list []string, none string) string {
	if len(list) == 0 {
		return none
	}
	return strings.Join(slices.Clone(list), ", ")
}
