package snapshot

import (
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
)

// Person is a subject's state as a store keeps it.
type Person struct {
	consent.State
	Scope consent.Scope `json:"scope,omitempty"` // of the last record
}

// The names of the row types in lower case are part of the files: Parquet keeps them.

// StandingRow is a row of standings.parquet: where a subject stands on a purpose.
type StandingRow = standingRow

type standingRow struct {
	Subject  [16]byte `parquet:"subject,uuid"`
	Purpose  string   `parquet:"purpose,dict"`
	Status   string   `parquet:"status,dict"` // as recorded; expiry is the reader's, by until_ms
	SinceMS  int64    `parquet:"since_ms"`
	UntilMS  int64    `parquet:"until_ms"` // 0 for a no
	Explicit bool     `parquet:"explicit"`
	Version  int64    `parquet:"version"`
	Notice   string   `parquet:"notice,dict"` // that a grant rests on
	Lifts    bool     `parquet:"lifts"`       // a browser's signal (SIG-04)

	Confirmed bool `parquet:"doi_confirmed"` // the address, by a double opt-in of ours (EXP-04)
}

// SubjectRow is a row of subjects.parquet.
type SubjectRow = subjectRow

type subjectRow struct {
	Subject    [16]byte `parquet:"subject,uuid"`
	Scope      string   `parquet:"scope,dict"`
	Restricted bool     `parquet:"restricted"`
	AgeBand    string   `parquet:"age_band,dict"`
	Objected   bool     `parquet:"objected"`        // any objection or suppression
	Objections []string `parquet:"objections,list"` // scopes, as consent.State has them
	Suppressed []string `parquet:"suppressed,list"` // channels, or all
}

// Standings writes standings and subjects, in the order that people come in.
// standing is a state as it counts: without what rests on an invalidated banner.
func (to Replace) Standings(people Each[Person], standing func(consent.State) consent.State) error {
	err := table(to, "standings", func(add func(StandingRow) error) error {
		return people(func(p Person) error { return addStandings(standing(p.State), add) })
	})
	if err != nil {
		return err
	}
	return table(to, "subjects", func(add func(SubjectRow) error) error {
		return people(func(p Person) error {
			return add(SubjectRow{p.Subject, string(p.Scope), p.Restricted, p.AgeBand, len(p.Objections)+len(p.Suppressed) > 0, p.Objections, p.Suppressed})
		})
	})
}

func addStandings(st consent.State, add func(StandingRow) error) error {
	for _, p := range slices.SortedFunc(maps.Keys(st.Standings), func(a, b consent.Purpose) int { return a.Bit() - b.Bit() }) {
		s := st.Standings[p]
		row := StandingRow{Subject: st.Subject, Purpose: string(p), Status: string(s.Status), SinceMS: s.Since.UnixMilli(),
			Explicit: s.Explicit, Lifts: s.Lifts, Confirmed: s.Status.Valid() && s.Proof.Confirmed(), Version: int64(st.Version)}
		if !s.Until.IsZero() {
			row.UntilMS = s.Until.UnixMilli()
		}
		if last := len(s.Grounds) - 1; last >= 0 {
			row.Notice = s.Grounds[last].Notice
		}
		if err := add(row); err != nil {
			return err
		}
	}
	return nil
}

// LinkRow is a row of links.parquet: a device and the account it belongs to.
type LinkRow = linkRow

type linkRow struct {
	Device  [16]byte `parquet:"device,uuid"`
	Account [16]byte `parquet:"account,uuid"`
}

// Links writes links.parquet.
func (to Replace) Links(links Each[LinkRow]) error {
	return table(to, "links", func(add func(LinkRow) error) error { return links(add) })
}

// ProductRow is a row of products.parquet.
type ProductRow = productRow

type productRow struct {
	ID         string   `parquet:"product_id"`
	Category   string   `parquet:"category,dict"`
	Class      string   `parquet:"product_class,dict"`
	PriceCents int64    `parquet:"price_cents"`
	Stock      int64    `parquet:"stock"`
	Tags       []string `parquet:"tags,list"`
}

// Products writes products.parquet.
func (to Replace) Products(products Each[event.Product]) error {
	return table(to, "products", func(add func(ProductRow) error) error {
		return products(func(p event.Product) error {
			return add(ProductRow{p.ID, p.Category, p.Class, p.PriceCents, p.Stock, p.Tags})
		})
	})
}

// Case is a case of the event gate, by its number.
type Case struct {
	ID   event.CaseID
	Body []byte // canonical JSON
}

// Cases writes cases.ndjson.
func (to Replace) Cases(cases Each[Case]) error {
	type line struct {
		ID   string          `json:"id"`
		Case json.RawMessage `json:"case"`
	}
	return to.lines("cases", func(add func(any) error) error {
		return cases(func(c Case) error { return add(line{strconv.FormatUint(uint64(c.ID), 10), c.Body}) })
	})
}

// Count is what was counted of a name in an hour.
type Count struct {
	Hour time.Time `json:"hour"`
	Name string    `json:"name"`
	N    int64     `json:"n"`
}

// Counters writes counters.ndjson.
func (to Replace) Counters(counts Each[Count]) error {
	return to.lines("counters", func(add func(any) error) error {
		return counts(func(c Count) error { return add(c) })
	})
}

// DecisionsFor is how long the night looks back on decisions.
const DecisionsFor = 90 * 24 * time.Hour

// Decisions writes decisions.ndjson: records as they lie in the log, byte for byte,
// a line each.
func (to Replace) Decisions(records Each[[]byte]) error {
	return to("decisions.ndjson", func(w io.Writer) error {
		return records(func(b []byte) error {
			_, err := w.Write(append(slices.Clip(b), '\n'))
			return err
		})
	})
}
