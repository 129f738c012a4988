package decide

import (
	"encoding/hex"
	"fmt"
)

// Chain follows the records of one writer (OPS-01): each carries the hash of the
// one before and the next number. The zero Chain begins with any record, for a
// chain may have been cut at the front.
type Chain struct {
	Writer string `json:"writer"`
	First  uint64 `json:"first"` // number of the first record that is left
	N      uint64 `json:"n"`
	Hash   string `json:"hash"` // hex: of record N
	Count  int64  `json:"records"`
	Erased int64  `json:"erased"` // records whose content was erased
	id     string
}

// Break is a place where a chain does not hold.
type Break struct {
	Writer string `json:"writer"`
	N      uint64 `json:"n"`
	ID     string `json:"decision_id"`
	Why    string `json:"why"`
}

func (b *Break) Error() string { return fmt.Sprintf("record %d (decision %s): %s", b.N, b.ID, b.Why) }

// Follow takes the next record, or says what is wrong with it and goes on from
// there. known says whether the ledger has an erasure of the record with a hash:
// nobody else may leave content out.
func (c *Chain) Follow(r Record, known func(hash string) bool) *Break {
	was := *c
	hash := r.Hash()
	c.Writer, c.N, c.Hash, c.id = r.Writer, r.N, hex.EncodeToString(hash[:]), r.ID
	if c.Count++; c.Count == 1 {
		c.First = r.N
	}
	if r.Erased != "" {
		c.Erased++
	}
	wrong := func(format string, args ...any) *Break {
		return &Break{r.Writer, r.N, r.ID, fmt.Sprintf(format, args...)}
	}
	switch {
	case r.Erased != "" && !known(c.Hash):
		return wrong("its content is gone, and the ledger knows of no erasure")
	case was.Count == 0 && (r.N == 1) == (r.Prev == ""), was.N+1 == r.N && was.Hash == r.Prev && was.Count > 0:
		return nil
	case was.Count == 0:
		return wrong("a chain cannot begin so")
	case r.N > was.N+1:
		return wrong("%d records before it are missing, from %d on", r.N-was.N-1, was.N+1)
	case r.N <= was.N:
		return wrong("it stands behind record %d: inserted, repeated or moved", was.N)
	}
	return wrong("it does not commit to record %d (decision %s): one of the two was changed", was.N, was.id)
}
