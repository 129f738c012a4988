//go:build awslocal

package functions_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/smithy-go"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/policy"
)

// roles are all that call an account: functions, the night, whoever installs policies.
func roles() []string {
	out := []string{"night", "policy"}
	for _, f := range api.Functions() {
		out = append(out, f.Name)
	}
	return out
}

func (s *shop) db(role string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{Region: awslocal.Region, Credentials: s.ground.Account(role).Credentials, BaseEndpoint: &s.ground.URL})
}

// may says whether a call was let through, and fails the test if it failed otherwise.
func (s *shop) may(err error) bool {
	s.t.Helper()
	var said smithy.APIError
	if err != nil && (!errors.As(err, &said) || said.ErrorCode() != "AccessDeniedException") {
		s.t.Fatal(err)
	}
	return err == nil
}

// Who turns what: each role writes the partitions of control that are its own, in the
// way that it does, and no other in any way.
func TestARoleWritesNoOthersPartitionOfControl(t *testing.T) {
	s := newShop(t)
	table := sdk.String(s.options.Prefix + "-control")
	key := func(p string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"p": &types.AttributeValueMemberS{Value: p}, "r": &types.AttributeValueMemberS{Value: "now"}}
	}
	want := map[string][]string{
		"staff":   {"update switches"},
		"price":   {"put products"},
		"night":   {"update publication", "put trust"},
		"consent": {"put trust"},
		"policy":  {"put policy"},
	}
	ways := map[string]func(*dynamodb.Client, string) error{
		"put": func(db *dynamodb.Client, p string) error {
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: table, Item: key(p)})
			return err
		},
		"update": func(db *dynamodb.Client, p string) error {
			_, err := db.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: table, Key: key(p)})
			return err
		},
		"delete": func(db *dynamodb.Client, p string) error {
			_, err := db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: table, Key: key(p)})
			return err
		},
		"put in a batch": func(db *dynamodb.Client, p string) error {
			_, err := db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				*table: {{PutRequest: &types.PutRequest{Item: key(p)}}},
			}})
			return err
		},
	}
	for _, role := range roles() {
		db, got := s.db(role), []string{}
		for way, write := range ways {
			for _, p := range []string{"switches", "trust", "products", "publication", "policy", "now"} {
				if s.may(write(db, p)) {
					got = append(got, way+" "+p)
				}
			}
		}
		slices.Sort(got)
		if all := slices.Sorted(slices.Values(want[role])); !slices.Equal(got, all) {
			t.Errorf("%s may %q, want %q", role, got, all)
		}
		for _, p := range []string{"switches", "trust", "products", "publication", "policy"} { // a transaction is no way around
			_, err := db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: table, Item: key(p)}},
			}})
			if s.may(err) != slices.Contains(want[role], "put "+p) {
				t.Errorf("%s puts %s in a transaction: %v", role, p, err)
			}
		}
	}
}

// Only the consent function makes keys: others put none, and wrap none.
func TestOnlyConsentMakesKeys(t *testing.T) {
	s := newShop(t)
	for _, role := range roles() {
		db := s.db(role)
		wraps := kms.New(kms.Options{Region: awslocal.Region, Credentials: s.ground.Account(role).Credentials, BaseEndpoint: &s.ground.URL})
		for name, alias := range map[string]string{"token": "main", "draw": "main", "digest": "main", "ledger": "main", "subjects": "identity", "another": "main"} {
			want := role == "consent" && name != "another"
			_, err := db.PutItem(t.Context(), &dynamodb.PutItemInput{
				TableName: sdk.String(s.options.Prefix + "-secret"), Item: map[string]types.AttributeValue{"name": &types.AttributeValueMemberS{Value: name}},
			})
			if s.may(err) != want {
				t.Errorf("%s puts key %s: %v", role, name, err)
			}
			_, err = wraps.Encrypt(t.Context(), &kms.EncryptInput{
				KeyId: sdk.String("alias/" + s.options.Prefix + "-" + alias), Plaintext: []byte("key"), EncryptionContext: map[string]string{"secret": name},
			})
			if s.may(err) != want {
				t.Errorf("%s wraps key %s: %v", role, name, err)
			}
		}
	}
}

// What the host writes there is what the roles let it write.
func TestTheHostWritesControlWithinItsRoles(t *testing.T) {
	s := newShop(t)
	as := func(role string, parts ...aws.Part) *aws.Host {
		t.Helper()
		o := s.options
		o.Account, o.Parts = s.ground.Account(role), append([]aws.Part{}, parts...)
		h, err := aws.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		return h
	}
	ledger, ingest := as("consent", aws.PartIdentity, aws.PartLedger), as("ingest", aws.PartIdentity)
	k, officer := newSigner(t), s.options
	officer.Account = s.ground.Account("policy")
	n := policy.Revision() + 1
	if err := aws.OpenShelf(officer).Put(t.Context(), n, k.bundle(t, n), k.public); err != nil {
		t.Errorf("installing a policy: %v", err)
	}
	if err := ledger.Shelf().Put(t.Context(), n+1, k.bundle(t, n+1), k.public); err == nil {
		t.Error("the consent function installed a policy")
	}
	if err := ingest.Distrust(t.Context(), "a test says so"); err == nil || !strings.Contains(err.Error(), "lacks this right") {
		t.Errorf("ingest wrote that the ledger is not relied on: %v", err)
	}
	if err := ledger.Distrust(t.Context(), "a test says so"); err != nil {
		t.Errorf("consent could not write that the ledger is not relied on: %v", err)
	}
	for _, h := range []*aws.Host{ledger, ingest} {
		if err := h.Trust(t.Context()); err == nil {
			t.Error("a function relies on the ledger again although nobody looked")
		}
	}
	if _, err := as("variant", aws.PartIdentity).State(t.Context(), consent.Subject{1}); !errors.Is(err, aws.ErrDistrusted) {
		t.Errorf("another function relies on the ledger: %v", err)
	}
}

// In a new account the first call may come before the consent function made the keys.
// Then every other function says so in one line, tries nothing, and leaves; as soon as
// the keys are there, the next start works.
func TestANewAccountWaitsForTheConsentFunction(t *testing.T) {
	s := newShop(t)
	device, write := s.device(3), basic(writeKey)
	for _, f := range api.Functions() {
		if f.Name == "consent" {
			continue
		}
		s.ground.Forget(f.Name)
		s.said = &said{}
		err := s.run(f.Name).Ready(t.Context())
		lines := s.said.lines()
		if err == nil || !strings.Contains(err.Error(), "code 1") || len(lines) != 1 {
			t.Errorf("%s: want it to leave with one line, got %v: %s", f.Name, err, s.said)
			continue
		}
		for _, want := range []string{
			"table " + s.options.Prefix + "-secret has no key token, draw, digest", "the consent function makes them", "within a minute after terraform apply",
		} {
			if !strings.Contains(lines[0], want) {
				t.Errorf("%s: want %q said, got %s", f.Name, want, lines[0])
			}
		}
		seen := s.ground.Seen(f.Name)
		for op := range seen.Ops {
			if op != "dynamodb:BatchGetItem" && op != "secretsmanager:GetSecretValue" {
				t.Errorf("%s: it called %s", f.Name, op)
			}
		}
		if seen.Ops["dynamodb:BatchGetItem"] != 1 || seen.Most != 1 {
			t.Errorf("%s: it asked %v, %d times of one call", f.Name, seen.Ops, seen.Most)
		}
	}
	s.said = &said{}
	s.open() // consent, and then the same starts again
	s.want(201, "POST", "/v1/consent", write, consents(device, true, "analytics", "adviser_assist"))
	if a := s.want(200, "POST", "/v1/batch", write, views(device, "m1")); a.json["admitted"] != 1.0 {
		t.Errorf("with the keys there: %s", a.body)
	}
	s.want(200, "POST", "/v1/escalate", write, map[string]any{"anonymousId": device, "asked": true})
}
