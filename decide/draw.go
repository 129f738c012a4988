package decide

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// Million is the whole of a share in parts per million.
const Million = 1_000_000

// Holdout draws whether a subject is held out from proactive offers on a day
// (UTC): the same answer all day, a fresh one the next. ppm is the propensity of
// what was drawn; seed names what keyed the draw, without key and subject, and
// the number that came out. Nobody (the zero Subject) is never held out.
func Holdout(key []byte, s consent.Subject, day time.Time, share float64) (held bool, ppm int64, seed string) {
	if s.IsZero() {
		return false, Million, ""
	}
	date := day.UTC().Format(time.DateOnly)
	part := sharePPM(share)
	n := draw(key, Million, "holdout", date, string(s[:]))
	seed = fmt.Sprintf("hmac-sha256/1 holdout day=%s draw=%d/%d", date, n, Million)
	if n < part {
		return true, part, seed
	}
	return false, Million - part, seed
}

// sharePPM reads a share as parts per million; not a number is nothing.
func sharePPM(share float64) int64 {
	if !(share > 0) {
		return 0
	}
	return int64(math.Round(min(share, 1) * Million))
}

// DrawVariant draws one of the eligible variants of a slot, by Propensities. It
// is sticky: the same key, who, slot, weights and eligible variants give the same
// variant; draws of different slots are independent. who is a pseudonym or a
// decision id. ppm is the exact propensity of the variant drawn. Nothing
// eligible draws "".
//
// seed names what keyed the draw, without key and who, and the number that came
// out: with the weights at hand, anyone can check the choice.
func DrawVariant(key []byte, who string, slot string, weights map[string]int64, eligible []string) (variant string, ppm int64, seed string) {
	shares := Propensities(weights, eligible)
	if len(shares) == 0 {
		return "", 0, ""
	}
	n := draw(key, Million, "variant", slot, who)
	seed = fmt.Sprintf("hmac-sha256/1 variant slot=%s draw=%d/%d", slot, n, Million)
	variant = pick(shares, n)
	return variant, shares[variant], seed
}

// DrawnNumber is the number, from 0 to below a million, that a seed says came out;
// false if the seed says none.
func DrawnNumber(seed string) (n int64, ok bool) {
	_, drawn, found := strings.Cut(seed, " draw=")
	text, of, whole := strings.Cut(drawn, "/")
	n, err := strconv.ParseInt(text, 10, 64)
	return n, found && whole && err == nil && of == strconv.Itoa(Million) && n >= 0 && n < Million
}

// Redraw gives what DrawVariant drew, from the seed that it gave: it needs neither
// key nor subject. false if the seed says no number or nothing is eligible.
func Redraw(seed string, weights map[string]int64, eligible []string) (variant string, ppm int64, ok bool) {
	n, ok := DrawnNumber(seed)
	shares := Propensities(weights, eligible)
	if !ok || len(shares) == 0 {
		return "", 0, false
	}
	variant = pick(shares, n)
	return variant, shares[variant], true
}

// pick finds the variant that a number falls on, with the variants laid side by
// side in the order of their ids.
func pick(shares map[string]int64, n int64) string {
	for _, id := range slices.Sorted(maps.Keys(shares)) {
		if n < shares[id] {
			return id
		}
		n -= shares[id]
	}
	return ""
}

// Propensities shares 1,000,000 over the eligible variants in proportion to
// their weights, by largest remainder: the parts per million are whole and sum
// to exactly 1,000,000. A variant without a weight has none; if no eligible one
// has a weight, all count alike. None eligible is nil.
func Propensities(weights map[string]int64, eligible []string) map[string]int64 {
	ids := slices.Compact(slices.Sorted(slices.Values(eligible)))
	if len(ids) == 0 {
		return nil
	}
	parts, sum := make([]uint64, len(ids)), uint64(0)
	for i, id := range ids {
		parts[i] = uint64(min(max(0, weights[id]), math.MaxInt32))
		sum += parts[i]
	}
	if sum == 0 {
		for i := range parts {
			parts[i] = 1
		}
		sum = uint64(len(parts))
	}
	return apportion(ids, parts, sum)
}

func apportion(ids []string, parts []uint64, sum uint64) map[string]int64 {
	shares, order := make(map[string]int64, len(ids)), make([]int, len(ids))
	left, rests := int64(Million), make([]uint64, len(ids))
	for i, id := range ids {
		high, low := bits.Mul64(parts[i], Million)
		whole, rest := bits.Div64(high, low, sum)
		shares[id], rests[i], order[i] = int64(whole), rest, i
		left -= int64(whole)
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(rests[b], rests[a]), cmp.Compare(a, b))
	})
	for _, i := range order[:left] {
		shares[ids[i]]++
	}
	return shares
}

// draw gives a number from 0 to below n, every one exactly as likely: HMAC-SHA256
// over the parts (each led by its length) and a counter, which moves on when a
// block falls into the incomplete last range.
func draw(key []byte, n uint64, parts ...string) int64 {
	var message []byte
	for _, p := range parts {
		message = binary.AppendUvarint(message, uint64(len(p)))
		message = append(message, p...)
	}
	limit := math.MaxUint64 - math.MaxUint64%n
	mac := hmac.New(sha256.New, key)
	for counter := uint64(0); ; counter++ {
		mac.Reset()
		mac.Write(binary.BigEndian.AppendUint64(message, counter))
		if x := binary.BigEndian.Uint64(mac.Sum(nil)); x < limit {
			return int64(x % n)
		}
	}
}
