//go:build awslocal

package aws_test

import (
	"errors"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// In a new account only whoever grows the ledger makes keys. Others ask once, say what
// is missing and who makes it, and open as soon as it is there.
func TestOnlyWhoGrowsTheLedgerMakesKeys(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	reader := o
	reader.Account = g.Account("keyreader")
	parts := map[string][]aws.Part{"token, draw, digest:": {}, "token, draw, digest, subjects:": {aws.PartIdentity}}
	for missing, p := range parts {
		reader.Parts = p
		g.Forget("keyreader")
		_, err := aws.Open(ctx, reader)
		if !errors.Is(err, aws.ErrNoKeys) || strings.Contains(err.Error(), "\n") {
			t.Fatalf("%v: want one line that no key is there, got %v", p, err)
		}
		for _, want := range []string{o.Prefix + "-secret", missing, "consent function", "within a minute", "first consent"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v: want %q said, got %v", p, want, err)
			}
		}
		if seen := g.Seen("keyreader"); seen.Requests != 1 || seen.Ops["dynamodb:BatchGetItem"] != 1 {
			t.Errorf("%v: it asked %v", p, seen.Ops)
		}
	}
	maker := o
	maker.Parts = []aws.Part{aws.PartIdentity, aws.PartLedger}
	first := opened(t, maker)
	for _, p := range parts {
		reader.Parts = p
		if h := opened(t, reader); string(h.Keys().Token) != string(first.Keys().Token) {
			t.Errorf("%v: it opened with another key", p)
		}
	}
	for _, u := range g.Used() {
		if u.Function == "keyreader" && (u.Action == "kms:Encrypt" || strings.HasPrefix(u.Action, "dynamodb:Put")) {
			t.Errorf("used %+v", u)
		}
	}
}

// Keys that were lost are not made anew: under others nobody would be found who is in
// the identity map, no objection and no grave.
func TestKeysThatWereLostAreNotMadeAnew(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h := opened(t, o)
	ok(t, h.Sequence(ctx))
	was := backedUp(t, o)
	for _, lost := range [][]string{{"subjects"}, {"token", "draw", "digest", "subjects", "ledger"}} {
		for _, name := range lost {
			_, err := tablesOf(o).DeleteItem(ctx, &dynamodb.DeleteItemInput{
				TableName: sdk.String(o.Prefix + "-secret"), Key: map[string]types.AttributeValue{"name": &types.AttributeValueMemberS{Value: name}},
			})
			ok(t, err)
		}
		_, err := aws.Open(ctx, o)
		if err == nil || errors.Is(err, aws.ErrNoKeys) || !strings.Contains(err.Error(), "no new ones are made") || !strings.Contains(err.Error(), "subjects") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%v: got %v", lost, err)
		}
		if left := len(backedUp(t, o)["secret"]); left != 5-len(lost) {
			t.Errorf("%v: %d keys are there", lost, left)
		}
		putBack(t, o, was, []string{"secret"})
		if again := opened(t, o); string(again.Keys().Token) != string(h.Keys().Token) {
			t.Errorf("%v: it opened with another key", lost)
		}
	}
}
