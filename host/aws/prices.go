package aws

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/price"
)

// historyKey escapes each part, so that no two histories share a key.
func historyKey(product, storefront, channel, currency string) string {
	parts := []string{product, storefront, channel, currency}
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "#")
}

func priceKey(k string) item { return item{"k": str(k)} }

// history is what is kept of one history, and what it becomes.
type history struct {
	key    string
	n      int64 // of its version; 0: it is not there yet
	was    []price.Interval
	packed []byte // of what it becomes
}

// The most that goes into one transaction; an item holds 400 KB.
const (
	pricesAtOnce = 100
	pricesBytes  = 3 << 20
	priceBytes   = 380 << 10
)

// PutPrices merges all rows or none: by one transaction, or by two steps that end in
// one item if there are too many histories for it.
func (h *Host) PutPrices(ctx context.Context, rows []price.Interval) error {
	added := map[string][]price.Interval{}
	for _, r := range rows {
		k := historyKey(r.Product, r.Storefront, r.Channel, r.Currency)
		added[k] = append(added[k], r)
	}
	defer forgetAhead(ctx)
	err := again(ctx, func() error {
		changed, size, err := h.mergePrices(ctx, added)
		switch {
		case err != nil || len(changed) == 0:
			return err
		case len(changed) <= pricesAtOnce && size <= pricesBytes:
			return h.putPrices(ctx, changed)
		}
		return h.putManyPrices(ctx, changed)
	})
	if err != nil {
		return fmt.Errorf("putting prices: %w", err)
	}
	return nil
}

// mergePrices gives the histories that rows change. Nothing is written.
func (h *Host) mergePrices(ctx context.Context, added map[string][]price.Interval) (changed []history, size int, err error) {
	known, err := h.histories(ctx, slices.Sorted(maps.Keys(added)))
	if err != nil {
		return nil, 0, err
	}
	for _, x := range known {
		merged, err := price.Merge(x.was, added[x.key])
		if err != nil {
			return nil, 0, err
		}
		if reflect.DeepEqual(merged, x.was) {
			continue
		}
		if x.packed, err = pack(merged); err != nil {
			return nil, 0, err
		}
		if len(x.packed) > priceBytes {
			return nil, 0, fmt.Errorf("the history of %s is too long to keep: %d prices", merged[0].Product, len(merged))
		}
		changed, size = append(changed, x), size+len(x.packed)
	}
	return changed, size, nil
}

// histories reads many, in the order of keys. While an import is at one of them it
// gives errAgain; what a dead import left behind is ended first.
func (h *Host) histories(ctx context.Context, keys []string) ([]history, error) {
	wanted := make([]item, len(keys))
	for i, k := range keys {
		wanted[i] = priceKey(k)
	}
	found, busy := make(map[string]item, len(keys)), []item{}
	err := h.getAll(ctx, tablePrice, wanted, func(i item) {
		if found[strOf(i, "k")] = i; strOf(i, "tx") != "" {
			busy = append(busy, i)
		}
	})
	if err == nil && len(busy) > 0 {
		err = h.endImports(ctx, busy)
	}
	if err != nil {
		return nil, err
	}
	out := make([]history, len(keys))
	for n, k := range keys {
		was, err := intervals(binOf(found[k], "body"))
		if err != nil {
			return nil, err
		}
		out[n] = history{key: k, n: numOf(found[k], "n"), was: was}
	}
	return out, nil
}

func intervals(packed []byte) (out []price.Interval, err error) {
	if packed == nil {
		return nil, nil
	}
	if err := unpack(packed, &out); err != nil {
		return nil, fmt.Errorf("unreadable price history: %w", err)
	}
	return out, nil
}

// putPrices writes histories by one transaction.
func (h *Host) putPrices(ctx context.Context, changed []history) error {
	t := h.transaction()
	for _, x := range changed {
		i := priceKey(x.key)
		i["body"], i["n"] = bin(x.packed), num(x.n+1)
		if x.n == 0 {
			t.put(tablePrice, i, "attribute_not_exists(n)", nil, errAgain)
		} else {
			t.put(tablePrice, i, "n = :n AND attribute_not_exists(tx)", item{":n": num(x.n)}, errAgain)
		}
	}
	return t.commit(ctx)
}

// PriceHistory gives one history in time order.
func (h *Host) PriceHistory(ctx context.Context, product, storefront, channel, currency string) (out []price.Interval, err error) {
	key := priceKey(historyKey(product, storefront, channel, currency))
	err = again(ctx, func() error {
		i, err := h.get(ctx, tablePrice, key)
		if err != nil {
			return err
		}
		body, err := h.inForce(ctx, i)
		if err == nil {
			out, err = intervals(body)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("price history: %w", err)
	}
	return out, nil
}

// inForce is what an item says now: what an import that is under way has in store
// for it counts from the moment that the import is decided.
func (h *Host) inForce(ctx context.Context, i item) ([]byte, error) {
	tx := strOf(i, "tx")
	if tx == "" {
		return binOf(i, "body"), nil
	}
	said, err := h.decidedImport(ctx, tx)
	if err != nil || said == importDone {
		return binOf(i, "nxt"), err
	}
	now, err := h.get(ctx, tablePrice, priceKey(strOf(i, "k")))
	if err != nil {
		return nil, err
	}
	if strOf(now, "tx") != tx { // it ended between the two reads
		return nil, errAgain
	}
	return binOf(i, "body"), nil
}
