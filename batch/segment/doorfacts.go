package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
)

// fact is what the gate asks about a subject.
type fact struct {
	subject     consent.Subject
	since       int64
	state, age  uint8
	known       bool // there is a standing
	given       bool
	restricted  bool
	hasExplicit bool
}

// readFacts takes the facts by way of a file: that is ten times faster than row by row.
func (d *door) readFacts(ctx context.Context) (err error) {
	path := filepath.Join(d.n.rows, "spill", "facts.parquet")
	query := fmt.Sprintf(`select subject, coalesce(s.status, '') as status, coalesce(s.since_ms, 0) as since_ms,
			coalesce(u.restricted, false) as restricted, coalesce(u.age, '') as age,
			coalesce(len(list_filter(u.special_since, lambda x: x is not null)) > 0, false) or u.special_all_since is not null as explicit
		from subjects_now as u
		full join (select subject, status, since_ms from standings_now where bit = %d) as s using (subject)
		order by subject`, d.place)
	if err := d.n.db.exec(ctx, fmt.Sprintf("copy (%s) to %s (format parquet)", query, quote(path))); err != nil {
		return err
	}
	f, err := openEvents(path, newWords(nil, nil))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close(), os.Remove(path)) }()
	d.facts = make([]fact, 0, f.pf.NumRows())
	var b factBlock
	for _, g := range f.pf.RowGroups() {
		if err := b.read(f, g); err != nil {
			return err
		}
		for i := range b.since {
			d.facts = append(d.facts, d.fact(&b, f.words, i))
		}
	}
	return d.readExplicit(ctx)
}

// factBlock is a row group of facts.
type factBlock struct {
	subjects             []byte
	status, age          []word
	since                []int64
	restricted, explicit []bool
}

func (b *factBlock) read(f *eventFile, g parquet.RowGroup) (err error) {
	if b.subjects, err = f.subjects(g, b.subjects); err != nil {
		return err
	}
	err = errors.Join(f.strings(g, &b.status, nil, "status"), f.strings(g, &b.age, nil, "age"), f.ints(g, &b.since, "since_ms"),
		f.bools(g, &b.restricted, "restricted"), f.bools(g, &b.explicit, "explicit"))
	n := len(b.since)
	if err == nil && (len(b.subjects) != 16*n || len(b.status) != n || len(b.age) != n || len(b.restricted) != n || len(b.explicit) != n) {
		err = errors.New("columns differ in length")
	}
	return err
}

func (d *door) fact(b *factBlock, w *words, i int) fact {
	status := w.spell(b.status[i])
	f := fact{
		subject: consent.Subject(b.subjects[16*i : 16*i+16]), since: b.since[i], restricted: b.restricted[i], hasExplicit: b.explicit[i],
		age: d.age(w.spell(b.age[i])), given: status == "given" || status == "renewed",
	}
	if status != "" {
		f.known, f.state = true, d.state(stateNow(status))
	}
	return f
}
