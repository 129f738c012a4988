package snapshot

import (
	"bytes"
	"cmp"
	"slices"
)

// shardRows bounds how many rows are in memory at once, unless one bucket has more:
// a day with more is written in ranges of buckets, each read again.
const shardRows = 600_000

// shard is a range of buckets in memory: the rows' stored forms one after the
// other, and what they are sorted by. It has no pointers to follow.
type shard struct {
	bytes []byte
	items []item
}

type item struct {
	Peeked
	from, to uint32
}

func (s *shard) add(p Peeked, row []byte) {
	from := uint32(len(s.bytes))
	s.bytes = append(s.bytes, row...)
	s.items = append(s.items, item{p, from, uint32(len(s.bytes))})
}

func (s *shard) row(i *item) []byte { return s.bytes[i.from:i.to] }

// sort is the order of a day's file; rows that agree in it are ordered by all
// they say, so that equal input gives equal bytes. A bucket is how a subject begins.
func (s *shard) sort() {
	slices.SortFunc(s.items, func(a, b item) int {
		if c := bytes.Compare(a.Subject[:], b.Subject[:]); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Occurred, b.Occurred); c != 0 {
			return c
		}
		if c := bytes.Compare(a.Message[:], b.Message[:]); c != 0 {
			return c
		}
		if c := cmp.Compare(a.Received, b.Received); c != 0 {
			return c
		}
		return bytes.Compare(s.row(&a), s.row(&b))
	})
}

func less(a, b [16]byte) bool { return bytes.Compare(a[:], b[:]) < 0 }
