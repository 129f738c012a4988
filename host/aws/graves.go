package aws

import (
	"context"
	"encoding/hex"

	"github.com/handschlag/handschlag/consent"
)

// gravePrefix begins the keys of what stays of erased subjects: a keyed hash of the
// pseudonym, from which nothing leads back. It keeps out what comes late, lies in a
// log or comes back with a backup.
const gravePrefix = "grave#"

// graveOf is an erased subject's mark, in hex.
func (h *Host) graveOf(s consent.Subject) string {
	return hex.EncodeToString(derive(h.keys.Digest, "grave", s[:])[:16])
}

func (h *Host) graveKey(s consent.Subject) item {
	return item{"s": str(gravePrefix + h.graveOf(s)), "r": str("at")}
}

// erasedAmong gives those of the subjects that were erased, or are being erased.
func (h *Host) erasedAmong(ctx context.Context, subjects []consent.Subject) (map[consent.Subject]bool, error) {
	of, keys := map[string]consent.Subject{}, []item{}
	for _, s := range subjects {
		k := h.graveKey(s)
		if _, twice := of[strOf(k, "s")]; !twice && !s.IsZero() {
			of[strOf(k, "s")], keys = s, append(keys, k)
		}
	}
	out := map[consent.Subject]bool{}
	err := h.getAll(ctx, tableBook, keys, func(i item) { out[of[strOf(i, "s")]] = true })
	return out, err
}
