package aws

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/consent/ledger"
)

// policies is the pointer to the installed policy bundles (OPS-02). The files lie in
// the locked bucket; that one is named here makes it count.
type policies struct {
	Revisions []int64 `json:"revisions"` // highest first
	Key       string  `json:"key"`       // PEM, public: pinned with the first bundle
}

var policyKey = controlKey(controlPolicy)

func bundleObject(revision int64) string {
	return "bundles/" + strconv.FormatInt(revision, 10) + ".tar.gz"
}

// policies reads the pointer, consistently; n is its number, 0 before the first bundle.
func (h *Host) policies(ctx context.Context) (p policies, n int64, err error) {
	i, err := h.get(ctx, tableControl, policyKey)
	if err == nil && i != nil {
		err = json.Unmarshal(binOf(i, "body"), &p)
	}
	if err != nil {
		return p, 0, fmt.Errorf("reading which policies are installed: %w", err)
	}
	return p, numOf(i, "n"), nil
}

// Bundles lists the revisions of the installed policy bundles, highest first.
func (h *Host) Bundles(ctx context.Context) ([]int64, error) {
	p, _, err := h.policies(ctx)
	return p.Revisions, err
}

// Bundle gives an installed bundle's file. Its signature is for the caller to verify.
func (h *Host) Bundle(ctx context.Context, revision int64) ([]byte, error) {
	body, _, err := h.readObject(ctx, bucketProof, bundleObject(revision))
	return body, err
}

// Shelf is the account as whoever installs a policy reaches it: no table that holds a
// person, and no key.
type Shelf struct{ h *Host }

// OpenShelf calls nothing yet.
func OpenShelf(opts Options) Shelf {
	h := &Host{opts: opts}
	h.db, h.s3, h.fire, h.kms = opts.Account.clients()
	return Shelf{h}
}

// Shelf gives the host's.
func (h *Host) Shelf() Shelf { return Shelf{h} }

// Bundles is Host.Bundles.
func (s Shelf) Bundles(ctx context.Context) ([]int64, error) { return s.h.Bundles(ctx) }

// Bundle is Host.Bundle.
func (s Shelf) Bundle(ctx context.Context, revision int64) ([]byte, error) {
	return s.h.Bundle(ctx, revision)
}

// Key gives the public key that was pinned with the first bundle; nil before.
func (s Shelf) Key(ctx context.Context) ([]byte, error) {
	p, _, err := s.h.policies(ctx)
	if err != nil || p.Key == "" {
		return nil, err
	}
	return []byte(p.Key), nil
}

// errInstalled says that a revision is not above what is installed.
var errInstalled = errors.New("a bundle never goes back")

// Put installs a bundle that the caller verified: the file first, then the
// pointer, if nobody installed another one meanwhile. The revision must be above all
// that are installed. A try that broke off may be repeated with the same file.
func (s Shelf) Put(ctx context.Context, revision int64, raw, key []byte) error {
	h := s.h
	p, n, err := h.policies(ctx)
	if err != nil {
		return err
	}
	if len(p.Revisions) > 0 && revision <= p.Revisions[0] {
		return fmt.Errorf("revision %d is not above %d: %w", revision, p.Revisions[0], errInstalled)
	}
	if err := h.putBundleObject(ctx, revision, raw); err != nil {
		return err
	}
	p.Revisions = append([]int64{revision}, p.Revisions...)
	p.Key = firstSet(p.Key, string(key))
	return h.pointToPolicies(ctx, p, n)
}

func (h *Host) putBundleObject(ctx context.Context, revision int64, raw []byte) error {
	err := h.writeObject(ctx, bucketProof, bundleObject(revision), raw, &swap{})
	if !errors.Is(err, ledger.ErrMoved) {
		return err
	}
	there, err := h.Bundle(ctx, revision)
	if err == nil && !bytes.Equal(there, raw) {
		err = fmt.Errorf("another file of revision %d was put there and never installed: take the next revision", revision)
	}
	return err
}

func (h *Host) pointToPolicies(ctx context.Context, p policies, n int64) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	condition := "attribute_not_exists(p)"
	put := &dynamodb.PutItemInput{TableName: h.table(tableControl), Item: item{"p": policyKey["p"], "r": policyKey["r"], "n": num(n + 1), "body": bin(body)}}
	if n > 0 {
		condition, put.ExpressionAttributeValues = "n = :n", item{":n": num(n)}
	}
	put.ConditionExpression = &condition
	_, err = h.db.PutItem(ctx, put)
	var moved *types.ConditionalCheckFailedException
	if errors.As(err, &moved) {
		return errors.New("somebody else installed a bundle at the same time: look at policy status, and try again")
	}
	return h.fault("dynamodb:PutItem", "table "+*h.table(tableControl), err)
}
