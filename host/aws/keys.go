package aws

import (
	"context"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

// secrets are the tenant's keys, each wrapped by a key in KMS in the secret table.
type secrets struct {
	flow.Keys
	subjects []byte        // of the identity map; nil without PartIdentity
	signer   ledger.Signer // nil without PartLedger
}

func (h *Host) openSecrets(context.Context) (*secrets, error) { return &secrets{}, nil }
