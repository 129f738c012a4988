package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/flow"
)

type auditExplainCmd struct {
	place
	ID      string `arg:"" optional:"" help:"decision_id."`
	Subject string `placeholder:"ID" help:"Everything about somebody instead: pseudonym, or anonymousId of a device."`
	Account string `placeholder:"USERID" help:"Everything about an account instead."`
	Action  string `help:"With --subject or --account: only such decisions."`
	Lang    string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON    bool   `help:"Print whole stories, one JSON object per line."`
}

// explainCall asks for one story, or for those about somebody.
type explainCall struct {
	Decision string              `json:"decision_id,omitempty"`
	About    flow.DecisionSearch `json:"about,omitzero"`
}

func (c auditExplainCmd) call() (explainCall, error) {
	named := 0
	for _, s := range []string{c.ID, c.Subject, c.Account} {
		if s != "" {
			named++
		}
	}
	if named != 1 {
		return explainCall{}, errors.New("name one of: a decision_id, --subject, --account")
	}
	q := flow.DecisionSearch{Action: c.Action, UserID: c.Account}
	if _, err := consent.ParseSubject(c.Subject); err == nil {
		q.Subject = c.Subject
	} else {
		q.AnonymousID = c.Subject
	}
	return explainCall{Decision: c.ID, About: q}, nil
}

// Run tells the whole of a decision, or of all about somebody.
func (c auditExplainCmd) Run(ctx context.Context, s streams) error {
	call, err := c.call()
	if err != nil {
		return err
	}
	body, err := json.Marshal(call)
	if err != nil {
		return fmt.Errorf("writing the call: %w", err)
	}
	return c.within(ctx, s, func(r *reached) error {
		res, err := r.request(ctx, "POST", "/admin/explain", "", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		told := 0
		err = lines(res.Body, func(st flow.Story) error {
			told++
			if c.JSON {
				return json.NewEncoder(s.out).Encode(st)
			}
			if told > 1 {
				s.printf("\n")
			}
			s.tell(st, c.Lang)
			return nil
		})
		if err == nil && told == 0 {
			err = errors.New("there is no decision about them, or nobody of that name is known")
		}
		return cutOff(err)
	})
}

// cutOff is broken for answers that are read line by line.
func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return broken(err)
	}
	return err
}

// explain answers with stories, a line each.
func (sh *shop) explain(r *http.Request, line func([]byte) error) error {
	var in explainCall
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return fmt.Errorf("reading the call: %w", err)
	}
	tell := func(st flow.Story) error {
		b, err := json.Marshal(st)
		if err != nil {
			return fmt.Errorf("writing a story: %w", err)
		}
		return line(b)
	}
	if in.Decision == "" {
		return sh.flow.Stories(r.Context(), in.About, tell)
	}
	st, err := sh.flow.Story(r.Context(), in.Decision)
	var fault *flow.Fault
	if errors.As(err, &fault) && fault.Code == "decision_unknown" {
		return fmt.Errorf("there is no decision %s", in.Decision)
	}
	if err != nil {
		return err
	}
	return tell(st)
}

// told are the words around a story.
var told = map[string]map[string]string{
	"en": {
		"nobody": "nobody known", "about": "about", "by": "by", "because": "because", "basis": "legal basis", "facts": "facts the rules were told",
		"path": "rules that held, in this order", "points": "need %d points by scorecard %s", "draw": "drawn with a chance of %.4f %%",
		"flips": "what alone would have changed it, the smallest change first", "flip": "%s: was %v, with %v: %s %s", "noflip": "no single fact would have changed it",
		"replay": "replay", "record": "record", "none": "no rule limited it", "bare": "number %d of writer %s, after %.16s", "then": "policy %.16s, configuration %.16s, binary %s; number %d of writer %s, after %.16s",
	},
	"de": {
		"nobody": "niemand Bekanntes", "about": "über", "by": "durch", "because": "weil", "basis": "Rechtsgrundlage", "facts": "Tatsachen, die den Regeln vorlagen",
		"path": "Regeln, die zutrafen, in dieser Reihenfolge", "points": "Bedarf %d Punkte nach Punktetafel %s", "draw": "gezogen mit einer Wahrscheinlichkeit von %.4f %%",
		"flips": "was allein es geändert hätte, die kleinste Änderung zuerst", "flip": "%s: war %v, mit %v: %s %s", "noflip": "keine einzelne Tatsache hätte es geändert",
		"replay": "Nachprüfung", "record": "Protokoll", "none": "keine Regel hat es eingeschränkt", "bare": "Nummer %d von Schreiber %s, nach %.16s", "then": "Regelwerk %.16s, Konfiguration %.16s, Programm %s; Nummer %d von Schreiber %s, nach %.16s",
	},
}

// replayed says the outcome of a replay in German; others are as they are.
var replayed = map[string]string{
	flow.ReplayedSame:                                "mit den Regeln von damals noch einmal entschieden: Byte für Byte gleich",
	flow.ReplayDiffer:                                "mit den Regeln von damals noch einmal entschieden: NICHT gleich; Protokoll oder Regelwerk wurden verändert",
	"its content was erased":                         "nicht möglich, der Inhalt wurde gelöscht",
	"no rules judge it: a person's own act":          "nicht möglich, ein Mensch hat selbst entschieden, keine Regel",
	"no rules judge it: what staff noted or fetched": "nicht möglich, hier vermerkt oder holt Personal etwas, keine Regel urteilt",
}

// tell prints a story as a person reads it.
func (s streams) tell(st flow.Story, lang string) {
	w, r := told[lang], st.Record
	said := func(x decide.Said) string {
		if lang == "de" {
			return x.De
		}
		return x.En
	}
	s.printf("%s %s %s\n%s\n", r.Action, r.ID, r.Time.Format(time.RFC3339), said(st.Text))
	who := r.Subject.String()
	if r.Subject.IsZero() {
		who = w["nobody"]
	}
	s.printf("%s: %s\n", w["about"], who)
	if r.Actor != "" {
		s.printf("%s: %s\n", w["by"], r.Actor)
	}
	for _, why := range st.Reasons {
		s.printf("%s %s: %s\n    %s: %s\n", w["because"], why.Rule, said(decide.Said{De: why.De, En: why.En}), w["basis"], law(why.LegalBasis, lang))
	}
	if len(st.Reasons) == 0 {
		s.printf("%s: %s\n", w["because"], unruled(r, lang))
	}
	s.points(st, w)
	s.evidence(st, w)
	replay := st.Replays
	if de, ok := replayed[replay]; ok && lang == "de" {
		replay = de
	}
	s.printf("%s: %s\n", w["replay"], replay)
	if r.Digests.Policy == "" {
		s.printf("%s: "+w["bare"]+"\n", w["record"], r.N, r.Writer, r.Prev)
		return
	}
	s.printf("%s: "+w["then"]+"\n", w["record"], r.Digests.Policy, r.Digests.Config, r.Binary, r.N, r.Writer, r.Prev)
}

func (s streams) points(st flow.Story, w map[string]string) {
	if r := st.Record; r.Need != nil {
		s.printf(w["points"]+"\n", r.Need.Total, r.Need.Version)
		for _, p := range r.Need.Parts {
			s.printf("  %+d  %s = %d\n", p.Points, p.Feature, p.Value)
		}
	}
	if ppm := st.Record.PPM; ppm > 0 {
		s.printf(w["draw"]+"\n", float64(ppm)/10000)
	}
}

func (s streams) evidence(st flow.Story, w map[string]string) {
	if st.Replays == flow.ReplayedSame || st.Replays == flow.ReplayDiffer {
		s.printf("%s:\n", w["flips"])
		for _, f := range st.Flips {
			s.printf("  "+w["flip"]+"\n", f.Fact, plain(f.Was), plain(f.Would), f.Then, plain(f.Rules))
		}
		if len(st.Flips) == 0 {
			s.printf("  %s\n", w["noflip"])
		}
	}
	if len(st.Facts) > 0 {
		s.printf("%s:\n", w["facts"])
	}
	for _, f := range st.Facts {
		s.printf("  %s = %s\n", f.Name, plain(f.Value))
	}
	if len(st.Path) > 0 {
		s.printf("%s:\n", w["path"])
		for _, p := range st.Path {
			s.printf("  %s\n", strings.Join(strings.Fields(fmt.Sprintf("%s:%d %s %s %s", p.File, p.Line, localVariable.ReplaceAllString(p.Name, ""), p.ID, p.Title)), " "))
		}
	}
}

// localVariable is the compiler's name of a rule's own variable, which nobody wrote.
var localVariable = regexp.MustCompile(`\[__local[^\]]*\]`)

// plain is a value as JSON writes it.
func plain(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}
