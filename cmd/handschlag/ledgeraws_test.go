//go:build awslocal

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// An operator puts the book of an account back from a backup, by the commands of docs/aws.md.
func TestAWSLedgerAfterABackupOfATableWasPutBack(t *testing.T) {
	ctx := context.Background()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	for _, kv := range g.Environment("operator") {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	at := time.Date(2026, 11, 21, 11, 0, 0, 0, time.UTC)
	cfg, err := config.Parse(config.DefaultYAML())
	o.Tenant = cfg.Tenant
	o.Clock = func() time.Time { return at }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(err)
	h, err := aws.Open(ctx, o)
	must(err)
	defer func() { must(h.Close()) }()
	id, err := consent.NewID(consent.Device, "the-one-device-of-ada")
	must(err)
	ada, err := h.Assign(ctx, id)
	must(err)
	say := func(n int, status consent.Status) {
		t.Helper()
		_, err := h.Append(ctx, ada, func(consent.State) (consent.Record, error) {
			return consent.Record{
				Schema: consent.RecordSchema, RecordID: fmt.Sprintf("record-%d", n), Scope: consent.Device, PurposesShown: []consent.Purpose{consent.Analytics},
				Event:    consent.Act{Time: at, Type: "expressed", Method: "save", Actor: "subject"},
				Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
				Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: status, Basis: "6-1-a"}},
			}, nil
		})
		must(err)
		must(h.Sequence(ctx))
	}
	command := func(code int, wants []string, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		args = append(args, "--host", "aws", "--name", o.Prefix, "--buckets", o.Buckets)
		if got := run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: &out}); got != code {
			t.Fatalf("%v: want code %d, got %d: %s", args, code, got, &out)
		}
		for _, want := range wants {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%v: want %q, got %s", args, want, &out)
			}
		}
		return out.String()
	}

	say(1, consent.Given)
	db := dynamodb.New(dynamodb.Options{Region: awslocal.Region, Credentials: o.Account.Credentials, BaseEndpoint: sdk.String(o.Account.Endpoints["DYNAMODB"])})
	book := sdk.String(o.Prefix + "-book")
	held := func() []map[string]types.AttributeValue {
		out, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: book, ConsistentRead: sdk.Bool(true)})
		must(err)
		return out.Items
	}
	backup := held()
	say(2, consent.Refused)
	command(0, []string{"2 leaves verified", "2 of 2 leaves are open, 0 erased, 0 sealed, 0 missing"}, "ledger", "verify")
	if lines := strings.Count(command(0, []string{"record-1", "record-2"}, "ledger", "book"), "\n"); lines != 2 {
		t.Errorf("the book has %d lines", lines)
	}
	command(1, []string{"not with the key that was given"}, "ledger", "verify", "--key", "another+00000000+AAAA")
	command(1, []string{"give one of them"}, "ledger", "verify", "--dir", t.TempDir())
	wrong := filepath.Join(t.TempDir(), "witness")
	must(os.WriteFile(wrong, []byte("no checkpoint\n"), 0o600))
	command(1, []string{"does not verify"}, "ledger", "verify", "--witness", wrong)

	for _, i := range held() {
		_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: book, Key: map[string]types.AttributeValue{"s": i["s"], "r": i["r"]}})
		must(err)
	}
	for _, i := range backup {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: book, Item: i})
		must(err)
	}
	command(1, []string{"1 leaves are missing from the book, the first is 1"}, "ledger", "verify", "--trust")
	command(0, []string{
		"replayed 1 consent records, 0 list entries and 0 openings; erased 0 subjects again", "2 of 2 leaves are open",
		"book and ledger agree: consent is relied on again",
	}, "ledger", "restore")
	command(0, []string{"2 of 2 leaves are open", "consent is relied on again"}, "ledger", "verify", "--trust")
	fresh, err := aws.Open(ctx, o)
	must(err)
	defer func() { must(fresh.Close()) }()
	if st, err := fresh.State(ctx, ada); err != nil || st.Version != 2 || st.Usable(consent.Analytics, at) {
		t.Errorf("got %+v, %v", st, err)
	}
}
