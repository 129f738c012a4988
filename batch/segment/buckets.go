package segment

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/handschlag/handschlag/consent"
)

// Buckets is a range of subjects by bucket, both ends in it (design.md, 16). A
// bucket is the front of a pseudonym, so ranges in order hold subjects in order.
type Buckets struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// ParseBuckets reads a range such as 0-1023, or one bucket.
func ParseBuckets(text string) (Buckets, error) {
	first, last, ranged := strings.Cut(text, "-")
	if !ranged {
		last = first
	}
	from, err := strconv.ParseUint(first, 10, 16)
	to, err2 := strconv.ParseUint(last, 10, 16)
	if err != nil || err2 != nil {
		return Buckets{}, fmt.Errorf("want a range of buckets such as 0-1023, got %q", text)
	}
	b := Buckets{int(from), int(to)}
	return b, b.valid()
}

func (b Buckets) valid() error {
	switch {
	case b.From < 0 || b.To >= consent.Buckets:
		return fmt.Errorf("buckets are 0 to %d, got %s", consent.Buckets-1, b)
	case b.From > b.To:
		return fmt.Errorf("want the lower bucket first, got %s", b)
	}
	return nil
}

func (b Buckets) String() string {
	if b.From == b.To {
		return strconv.Itoa(b.From)
	}
	return fmt.Sprintf("%d-%d", b.From, b.To)
}

// hold is a condition in SQL: the subject in a column is of the range. A nil range
// holds everybody.
func (b *Buckets) hold(column string) string {
	if b == nil {
		return "true"
	}
	return fmt.Sprintf("%s between '%03x00000-0000-0000-0000-000000000000'::uuid and '%03xfffff-ffff-ffff-ffff-ffffffffffff'::uuid", column, b.From, b.To)
}

// holds is hold in Go.
func (b *Buckets) holds(s consent.Subject) bool {
	return b == nil || int(s.Bucket()) >= b.From && int(s.Bucket()) <= b.To
}

// meet are the buckets that are in both ranges; From is above To if there is none.
func (b *Buckets) meet(other Buckets) Buckets {
	if b == nil {
		return other
	}
	return Buckets{max(b.From, other.From), min(b.To, other.To)}
}

// events is hold for rows of events. Their bucket is a column and the files' order,
// so that whole row groups are passed over.
func (b *Buckets) events() string {
	if b == nil {
		return "true"
	}
	return fmt.Sprintf("bucket between %d and %d and %s", b.From, b.To, b.hold("subject"))
}

// rowsOf says which rows of a snapshot's table a part needs: what its own subjects
// decided, and the accounts that their devices are linked to (CON-14), whose buckets
// may be any.
func (b *Buckets) rowsOf(table string) string {
	if b == nil {
		return "true"
	}
	switch table {
	case "links":
		return b.hold("device")
	case "standings", "subjects":
		return b.hold("subject") + " or subject in (select account from links)"
	}
	return "true"
}

// narrow leaves only a part's own subjects to be compared with last night's. The
// accounts that were read beside them belong to other parts.
func (n *night) narrow(ctx context.Context) error {
	if n.part == nil {
		return nil
	}
	if err := n.db.exec(ctx, "delete from signatures where not ("+n.part.hold("subject")+")"); err != nil {
		return fmt.Errorf("narrowing signatures to a part: %w", err)
	}
	return nil
}
