// Package learn owns what the night estimates from logged decisions. For now
// that is the share of each content variant before anything is known about it.
package learn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/handschlag/handschlag/decide"
)

// Million is the sum of a slot's shares.
const Million = 1_000_000

// Floor is the least share of a variant, in parts per million: no variant may
// starve before it was seen.
const Floor = 5_000

// Equal gives every variant of every slot the same share, for everybody. Shares
// are parts per million, sum to 1,000,000 exactly, and differ by at most one;
// variants earlier in the alphabet get the remainder. Version is the digest of
// the content, so equal weights have equal versions.
func Equal(slots map[string][]string) (decide.Weights, error) {
	w := decide.Weights{Slots: map[string]map[string]map[string]int64{}}
	for slot, variants := range slots {
		shares, err := equal(variants)
		if err != nil {
			return decide.Weights{}, fmt.Errorf("weighing slot %q: %w", slot, err)
		}
		w.Slots[slot] = map[string]map[string]int64{"": shares}
	}
	return Versioned(w.Slots)
}

// Versioned makes weights of shares (slot → segment → variant → parts per million). Their
// version is the digest of the content.
func Versioned(slots map[string]map[string]map[string]int64) (decide.Weights, error) {
	body, err := json.Marshal(slots) // maps are written in key order
	if err != nil {
		return decide.Weights{}, fmt.Errorf("digesting weights: %w", err)
	}
	sum := sha256.Sum256(body)
	return decide.Weights{Version: hex.EncodeToString(sum[:]), Slots: slots}, nil
}

func equal(variants []string) (map[string]int64, error) {
	ids := slices.Sorted(slices.Values(variants))
	n := int64(len(ids))
	if n == 0 {
		return nil, fmt.Errorf("it has no variants")
	}
	if len(slices.Compact(slices.Clone(ids))) != len(ids) {
		return nil, fmt.Errorf("a variant is named twice")
	}
	if n*Floor > Million {
		return nil, fmt.Errorf("%d variants cannot each have the floor of %d ppm", n, Floor)
	}
	shares := make(map[string]int64, n)
	for i, id := range ids {
		shares[id] = Million / n
		if int64(i) < Million%n {
			shares[id]++
		}
	}
	return shares, nil
}
