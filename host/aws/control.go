package aws

import (
	"context"
	"sync/atomic"
)

// The items of control, each a partition of its own: IAM tells partitions apart, so a
// role writes the ones that are its own and no other (infra/terraform, decision 0026).
const (
	controlSwitches    = "switches"    // what is switched off, an attribute for each switch: staff
	controlTrust       = "trust"       // there while the ledger is not relied on: consent, the night
	controlProducts    = "products"    // the catalogue that is live: price
	controlPublication = "publication" // the run of the night that is in force: the night
	controlPolicy      = "policy"      // the installed bundles: whoever installs them
)

func controlKey(p string) item { return item{"p": str(p), "r": str("now")} }

// control reads one item, consistently; nil if nobody wrote it yet. They are small:
// what they point at lies in a bucket, and never changes.
func (h *Host) control(ctx context.Context, p string) (item, error) {
	return h.get(ctx, tableControl, controlKey(p))
}

// memo is what control last pointed at. It is looked up again whenever the pointer
// says otherwise.
type memo struct {
	publication atomic.Pointer[publication]
}
