package segment

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/handschlag/handschlag/consent"
)

// dayRecord is a dayRow as it lies in a day's file: what SQL asks about stands in
// columns of its own, the rest is packed, because most counts of a day are 0 and every
// night copies the rows of those who stay. Packed once, a row hardly shrinks any more.
type dayRecord struct {
	Day     int32           `parquet:"day,date,delta,uncompressed"`
	Subject consent.Subject `parquet:"subject,uuid,uncompressed"`
	FirstMS int64           `parquet:"first_ms,delta,uncompressed"`
	Row     []byte          `parquet:"row,uncompressed"` // dayRow.pack
	Open    []byte          `parquet:"open,snappy"`      // dayRow.Open
}

// tally is the numbers of a row that windows sum, in the order of tallied.
type tally [28]int64

// tallied names them as columns of daily.
var tallied = [...]string{
	"sessions", "events", "dwell_ms", "product_views", "products_viewed", "searches", "searches_clicked", "searches_zero_results",
	"search_reformulations", "search_exact_articles", "size_guide_opens", "variant_flips", "compare_loops", "baskets_left",
	"sessions_night", "sessions_morning", "sessions_afternoon", "sessions_evening", "cart_adds", "cart_removes", "premium_views",
	"priced_views", "viewed_cents", "refunds", "refund_cents", "gpc_events", "dnt_events", "special_events",
}

func (r *dayRow) tally() tally {
	return tally{
		r.Sessions, r.Events, r.Dwell, r.Views, r.Viewed, r.Searches, r.Clicked, r.Zero,
		r.Reformulated, r.Exacts, r.Guides, r.Flips, r.Loops, r.Left,
		r.Night, r.Morning, r.Afternoon, r.Evening, r.Adds, r.Removes, r.PremiumViews,
		r.PricedViews, r.ViewedCents, r.Refunds, r.RefundCents, r.GPC, r.DNT, r.SpecialEvents,
	}
}

func (r *dayRow) take(c *tally) {
	for i, into := range [...]*int64{
		&r.Sessions, &r.Events, &r.Dwell, &r.Views, &r.Viewed, &r.Searches, &r.Clicked, &r.Zero,
		&r.Reformulated, &r.Exacts, &r.Guides, &r.Flips, &r.Loops, &r.Left,
		&r.Night, &r.Morning, &r.Afternoon, &r.Evening, &r.Adds, &r.Removes, &r.PremiumViews,
		&r.PricedViews, &r.ViewedCents, &r.Refunds, &r.RefundCents, &r.GPC, &r.DNT, &r.SpecialEvents,
	} {
		*into = c[i]
	}
}

// Bits beside those of the counts that are not 0.
const (
	hasOrders  = len(tallied)
	hasReturns = len(tallied) + 1
)

// pack writes a row: which counts are not 0, those, how long the day was, then orders
// and returns, if there are any.
func (r *dayRow) pack(out []byte) []byte {
	c := r.tally()
	var set uint64
	for i, x := range c {
		if x != 0 {
			set |= 1 << i
		}
	}
	if len(r.Orders) > 0 {
		set |= 1 << hasOrders
	}
	if len(r.Returns) > 0 {
		set |= 1 << hasReturns
	}
	out = binary.AppendUvarint(out, set)
	for left := set & (1<<len(tallied) - 1); left != 0; left &= left - 1 {
		out = binary.AppendVarint(out, c[bits.TrailingZeros64(left)])
	}
	out = binary.AppendVarint(out, r.LastMS-r.FirstMS)
	return r.packSales(out)
}

func (r *dayRow) packSales(out []byte) []byte {
	if len(r.Orders) > 0 {
		out = binary.AppendUvarint(out, uint64(len(r.Orders)))
	}
	for _, o := range r.Orders {
		out = binary.AppendVarint(binary.AppendVarint(binary.LittleEndian.AppendUint64(out, uint64(o.Key)), o.AtMS-r.FirstMS), o.Cents)
	}
	if len(r.Returns) > 0 {
		out = binary.AppendUvarint(out, uint64(len(r.Returns)))
	}
	for _, o := range r.Returns {
		out = binary.AppendVarint(binary.AppendVarint(binary.LittleEndian.AppendUint64(out, uint64(o.Key)), o.AtMS-r.FirstMS), o.Cents)
		out = append(out, flags(o.Whole))
	}
	return out
}

// unpack reads what pack wrote. r keeps the memory of its lists; day, subject and
// FirstMS are there already.
func (r *dayRow) unpack(row []byte, c *tally) error {
	p := packed{row, nil}
	set := p.uint()
	*c = tally{}
	for left := set & (1<<len(tallied) - 1); left != 0; left &= left - 1 {
		c[bits.TrailingZeros64(left)] = p.int()
	}
	r.LastMS = r.FirstMS + p.int()
	r.Orders, r.Returns = r.Orders[:0], r.Returns[:0]
	if set&(1<<hasOrders) != 0 {
		for range p.uint() {
			o := dayOrder{int64(p.fixed()), r.FirstMS + p.int(), p.int()}
			if p.err != nil {
				break
			}
			r.Orders = append(r.Orders, o)
		}
	}
	if set&(1<<hasReturns) != 0 {
		for range p.uint() {
			o := dayReturn{Key: int64(p.fixed()), AtMS: r.FirstMS + p.int(), Cents: p.int()}
			if o.Whole = p.take(1)[0] > 0; p.err != nil {
				break
			}
			r.Returns = append(r.Returns, o)
		}
	}
	if p.err == nil && len(p.rest) > 0 {
		return fmt.Errorf("a packed row has %d bytes too many", len(p.rest))
	}
	return p.err
}

// fixed reads eight bytes.
func (p *packed) fixed() uint64 { return binary.LittleEndian.Uint64(p.take(8)) }
