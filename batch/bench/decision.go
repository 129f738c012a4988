package bench

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
)

// log writes decision records as a host's log holds them: one writer, numbered, each with
// the digest of the line before.
type log struct {
	n    uint64
	prev string
}

func (l *log) line(r decide.Record) ([]byte, error) {
	l.n++
	r.Writer, r.N, r.Prev, r.Binary = "bench", l.n, l.prev, "bench"
	line, err := json.Marshal(r)
	sum := sha256.Sum256(line)
	l.prev = hex.EncodeToString(sum[:])
	return line, err
}

// decisions gives the lines of an ingest day, in order of time.
func (s *shop) decisions(day int, do func([]byte) error) error {
	lots := s.drawn[day]
	slices.SortFunc(lots, func(a, b lot) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.who, b.who)) })
	for _, l := range lots {
		records, err := s.records(l)
		if err != nil {
			return fmt.Errorf("writing decisions: %w", err)
		}
		for _, r := range records {
			line, err := s.log.line(r)
			if err == nil {
				err = do(line)
			}
			if err != nil {
				return fmt.Errorf("writing decisions: %w", err)
			}
		}
	}
	return nil
}

// records are what was written down about a lot: the decision and, where a contact came of
// an offer, how it ended.
func (s *shop) records(l lot) ([]decide.Record, error) {
	p := &s.people[l.who]
	r := decide.Record{ID: s.id(p, l, 0, l.at), Time: time.UnixMilli(l.at).UTC(), Subject: p.subject}
	if !l.offer {
		return s.shown(r, p, s.content(p, l))
	}
	o := s.offer(p, l)
	if err := s.offered(&r, p, o); err != nil || o.outcome == "" {
		return []decide.Record{r}, err
	}
	ended, err := s.ended(p, l, r.ID, o)
	return []decide.Record{r, ended}, err
}

// shown is the record of a content.
func (s *shop) shown(r decide.Record, p *person, c content) ([]decide.Record, error) {
	j := &c.slot.judged[c.login]
	r.Action, r.Digests, r.Rules = decide.ActionVariant, j.digests, j.rules
	in := j.in
	in.Consent, in.Experiment = s.fact(p, consent.PersonalisationContent), s.fact(p, consent.Experimentation)
	input, err := decide.Canonical(in)
	r.Input, r.Seed, r.PPM = input, c.seed, c.ppm
	// "variant" comes last in the canonical order of the verdict's keys.
	r.Result = fmt.Appendf(nil, `%s,"variant":%q}`, j.output[:len(j.output)-1], c.variant)
	return []decide.Record{r}, err
}

// offered fills in the record of an offer.
func (s *shop) offered(r *decide.Record, p *person, o offer) (err error) {
	j := s.ladder[0]
	if o.heldOut {
		j = s.ladder[1]
	}
	in := j.in
	in.Consent, in.Features, in.Need = s.fact(p, consent.AdviserAssist), o.features, o.score.Total
	r.Action, r.Digests, r.Rules, r.Result = decide.ActionEscalate, j.digests, j.rules, j.output
	r.Digests.Scorecard, r.Need, r.Seed, r.PPM = s.card, &o.score, o.seed, o.ppm
	r.Input, err = decide.Canonical(in)
	return err
}

// ended is the record that an adviser's outcome leaves.
func (s *shop) ended(p *person, l lot, offer string, o offer) (decide.Record, error) {
	opened := l.at + time.Minute.Milliseconds()
	closed := opened + o.seconds*time.Second.Milliseconds()
	r := decide.Record{ID: s.id(p, l, 1, closed), Time: time.UnixMilli(closed).UTC(), Subject: p.subject, Actor: "adviser:bench"}
	r.Action, r.Digests, r.Rules = decide.ActionHandover, s.ladder[0].digests, []string{}
	input, err := decide.Canonical(map[string]any{"contact_id": s.id(p, l, 2, opened), "decision_id": offer, "channel": "chat"})
	if err != nil {
		return r, err
	}
	r.Input = input
	r.Result, err = decide.Canonical(map[string]any{"outcome": o.outcome, "seconds": o.seconds})
	return r, err
}

// id is a UUIDv7 of a moment, of one of the things that belong to a lot.
func (s *shop) id(p *person, l lot, which int, ms int64) string {
	r := s.stream(p, l)
	for range which {
		r.Uint64()
	}
	return stamped(r.Uint64(), ms)
}

func stamped(bits uint64, ms int64) string {
	var b uuid.UUID
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	for i := range 8 {
		b[8+i] = byte(bits >> (8 * i))
	}
	b[6], b[7], b[8] = 0x70|byte(bits>>60), byte(bits>>52), b[8]&0x3f|0x80
	return b.String()
}
