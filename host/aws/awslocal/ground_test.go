//go:build awslocal

package awslocal_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	fhtypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

var ctx = context.Background()

// clients are plain clients of a function, with three short tries.
func clients(g *awslocal.Ground, function string) (*dynamodb.Client, *s3.Client, *firehose.Client, *kms.Client) {
	a := g.Account(function)
	cfg := sdk.Config{Region: a.Region, Credentials: a.Credentials, BaseEndpoint: &g.URL,
		HTTPClient: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: 300 * time.Millisecond, DialContext: (&net.Dialer{}).DialContext}},
		Retryer: func() sdk.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 20 * time.Millisecond })
		}}
	return dynamodb.NewFromConfig(cfg), s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }), firehose.NewFromConfig(cfg), kms.NewFromConfig(cfg)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }

func TestTheGroundKeepsTablesObjectsStreamsAndKeys(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	db, objects, hose, keys := clients(g, "all")
	_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: sdk.String(o.Prefix + "-book"), Item: map[string]types.AttributeValue{"s": s("a"), "r": s("state")}}},
		{ConditionCheck: &types.ConditionCheck{TableName: sdk.String(o.Prefix + "-profile"), Key: map[string]types.AttributeValue{"s": s("a")},
			ConditionExpression: sdk.String("attribute_not_exists(s)")}},
	}})
	ok(t, err)
	put := &s3.PutObjectInput{Bucket: sdk.String(o.Buckets + "-shop"), Key: sdk.String("documents/d"), Body: strings.NewReader("x"), IfNoneMatch: sdk.String("*")}
	_, err = objects.PutObject(ctx, put)
	ok(t, err)
	put.Body = strings.NewReader("y")
	if _, err = objects.PutObject(ctx, put); codeOf(err) != "PreconditionFailed" {
		t.Fatalf("the second put gave %v", err)
	}
	_, err = hose.PutRecordBatch(ctx, &firehose.PutRecordBatchInput{DeliveryStreamName: sdk.String(o.Prefix + "-events"),
		Records: []fhtypes.Record{{Data: []byte("one\n")}, {Data: []byte("two\n")}}})
	ok(t, err)
	g.Flush()
	if got := delivered(t, objects, o, "raw/events/"); got != "one\ntwo\n" {
		t.Fatalf("delivered %q", got)
	}
	sealed, err := keys.Encrypt(ctx, &kms.EncryptInput{KeyId: sdk.String("alias/" + o.Prefix + "-main"), Plaintext: []byte("p")})
	ok(t, err)
	plain, err := keys.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed.CiphertextBlob})
	ok(t, err)
	if string(plain.Plaintext) != "p" {
		t.Fatalf("decrypted %q", plain.Plaintext)
	}
	wasUsed(t, g, "all", "dynamodb:PutItem", "table/"+o.Prefix+"-book")
	wasUsed(t, g, "all", "dynamodb:ConditionCheckItem", "table/"+o.Prefix+"-profile")
	wasUsed(t, g, "all", "s3:PutObject", o.Buckets+"-shop/documents/*")
	wasUsed(t, g, "all", "firehose:PutRecordBatch", "deliverystream/"+o.Prefix+"-events")
	wasUsed(t, g, "all", "kms:Decrypt", "alias/"+o.Prefix+"-main")
}

func wasUsed(t *testing.T, g *awslocal.Ground, function, action, resource string) {
	t.Helper()
	if !slices.ContainsFunc(g.Used(), func(u awslocal.Used) bool {
		return u.Function == function && u.Action == action && strings.HasSuffix(u.Resource, resource)
	}) {
		t.Errorf("%s was not seen to use %s on %s", function, action, resource)
	}
}

// delivered reads what streams delivered under a prefix.
func delivered(t *testing.T, objects *s3.Client, o aws.Options, prefix string) string {
	t.Helper()
	bucket := sdk.String(o.Buckets + "-events")
	list, err := objects.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: &prefix})
	ok(t, err)
	var all bytes.Buffer
	for _, x := range list.Contents {
		out, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: x.Key})
		ok(t, err)
		z, err := gzip.NewReader(out.Body)
		ok(t, err)
		_, err = io.Copy(&all, z)
		ok(t, err)
	}
	return all.String()
}

func TestTheGroundHoldsAFunctionToItsRole(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	table, bucket := o.Prefix+"-profile", o.Buckets+"-shop"
	g.Allow("role", []awslocal.Statement{
		{Actions: []string{"dynamodb:GetItem"}, Resources: []string{"arn:aws:dynamodb:eu-central-1:123456789012:table/" + table}},
		{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::" + bucket + "/documents/*"}},
	})
	db, objects, _, _ := clients(g, "role")
	key := map[string]types.AttributeValue{"s": s("a")}
	_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: key})
	ok(t, err)
	if _, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: key}); codeOf(err) != "AccessDeniedException" {
		t.Fatalf("a right that the role lacks gave %v", err)
	}
	if _, err := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: sdk.String("documents/none")}); codeOf(err) != "AccessDenied" {
		t.Fatalf("a missing object of a bucket that may not be listed gave %v", err)
	}
	if seen := g.Seen("role"); seen.Requests != 3 || seen.Most != 1 {
		t.Fatalf("three calls made %d requests, %d of one", seen.Requests, seen.Most)
	}
}

// Partitions and what a key is wrapped for are told apart, in every way to reach them.
func TestTheGroundHoldsAFunctionToItsConditions(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	table, alias := o.Prefix+"-control", "alias/"+o.Prefix+"-main"
	arn := "arn:aws:dynamodb:eu-central-1:123456789012:table/" + table
	allow := func(action, on, op, key string, values ...string) awslocal.Statement {
		return awslocal.Statement{Actions: []string{action}, Resources: []string{on}, Condition: map[string]map[string][]string{op: {key: values}}}
	}
	g.Allow("holder", []awslocal.Statement{
		allow("dynamodb:*", arn, "ForAllValues:StringEquals", "dynamodb:LeadingKeys", "own", "too"),
		allow("dynamodb:*", arn, "ForAllValues:StringEquals", "dynamodb:Attributes", "p"),
		allow("dynamodb:*", arn, "StringLike", "dynamodb:LeadingKeys", "*"),
		allow("kms:Encrypt", awslocal.KeyARN(alias), "StringEquals", "kms:EncryptionContext:secret", "own"),
		allow("kms:Decrypt", awslocal.KeyARN(alias), "StringEquals", "kms:ViaService", "s3"),
	})
	db, _, _, keys := clients(g, "holder")
	item := func(p string) map[string]types.AttributeValue {
		return map[string]types.AttributeValue{"p": s(p), "r": s("now")}
	}
	is, named := "p = :p", "#p = :p and r = :r"
	for name, do := range map[string]func(p string) error{
		"put": func(p string) error {
			_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: item(p)})
			return err
		},
		"update": func(p string) error {
			_, err := db.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: item(p)})
			return err
		},
		"delete": func(p string) error {
			_, err := db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: item(p)})
			return err
		},
		"get": func(p string) error {
			_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &table, Key: item(p)})
			return err
		},
		"batch get": func(p string) error {
			_, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				table: {Keys: []map[string]types.AttributeValue{item("too"), item(p)}},
			}})
			return err
		},
		"batch write": func(p string) error {
			_, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: {
				{PutRequest: &types.PutRequest{Item: item("too")}}, {DeleteRequest: &types.DeleteRequest{Key: item(p)}},
			}}})
			return err
		},
		"transaction": func(p string) error {
			_, err := db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: &table, Item: item("too")}}, {Put: &types.Put{TableName: &table, Item: item(p)}},
			}})
			return err
		},
		"query": func(p string) error {
			_, err := db.Query(ctx, &dynamodb.QueryInput{
				TableName: &table, KeyConditionExpression: &is, ExpressionAttributeValues: map[string]types.AttributeValue{":p": s(p)},
			})
			return err
		},
		"query by name": func(p string) error {
			_, err := db.Query(ctx, &dynamodb.QueryInput{
				TableName: &table, KeyConditionExpression: &named, ExpressionAttributeNames: map[string]string{"#p": "p"},
				ExpressionAttributeValues: map[string]types.AttributeValue{":p": s(p), ":r": s("own")},
			})
			return err
		},
		"wrapping": func(p string) error {
			_, err := keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &alias, Plaintext: []byte("x"), EncryptionContext: map[string]string{"secret": p}})
			return err
		},
	} {
		if err := do("own"); err != nil {
			t.Errorf("%s: what the role allows is denied: %v", name, err)
		}
		if err := do("other"); codeOf(err) != "AccessDeniedException" {
			t.Errorf("%s: what the role's condition leaves out gave %v", name, err)
		}
	}
	out, err := keys.Encrypt(ctx, &kms.EncryptInput{KeyId: &alias, Plaintext: []byte("x"), EncryptionContext: map[string]string{"secret": "own"}})
	ok(t, err)
	in := &kms.DecryptInput{KeyId: &alias, CiphertextBlob: out.CiphertextBlob, EncryptionContext: map[string]string{"secret": "own"}}
	if _, err := keys.Decrypt(ctx, in); codeOf(err) != "AccessDeniedException" {
		t.Errorf("a right through a service was good without it: %v", err)
	}
	if _, err := db.Scan(ctx, &dynamodb.ScanInput{TableName: &table}); err != nil {
		t.Errorf("a scan is about no partition, and ForAllValues is no reason against it: %v", err)
	}
}

func TestTheGroundFailsAsOftenAsItIsTold(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	g.Inject("faulty", awslocal.Faults{Seed: 7, Throttled: 100, Broken: 100, Unheard: 20, Unanswered: 20, Partial: 500})
	db, _, _, _ := clients(g, "faulty")
	left := 0
	for i := range 150 {
		out, err := db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{o.Prefix + "-profile": {
			{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{"s": s("a" + string(rune('0'+i%10)))}}},
			{PutRequest: &types.PutRequest{Item: map[string]types.AttributeValue{"s": s("b" + string(rune('0'+i%10)))}}},
		}}})
		if err == nil {
			left += len(out.UnprocessedItems[o.Prefix+"-profile"])
		}
	}
	seen := g.Seen("faulty")
	t.Logf("%d calls, %d requests, %d made to fail, %d items left undone, %d delays", seen.Calls, seen.Requests, seen.Faults, left, len(seen.Delays))
	if share := float64(seen.Faults) / float64(seen.Requests); share < 0.65 || share > 0.83 {
		t.Errorf("%.2f of the requests failed, 0.74 were to", share)
	}
	if left == 0 || seen.Most != 3 || len(seen.Delays) != seen.Requests-seen.Calls {
		t.Errorf("%d items were left undone, at most %d tries, %d delays", left, seen.Most, len(seen.Delays))
	}
}

func TestTheGroundRefusesInEveryWay(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	db, objects, _, _ := clients(g, "refused")
	for kind, want := range map[string][2]string{
		"denied": {"AccessDeniedException", "AccessDenied"}, "absent": {"ResourceNotFoundException", "NoSuchBucket"},
		"expired": {"ExpiredTokenException", "ExpiredToken"}, "skewed": {"InvalidSignatureException", "RequestTimeTooSkewed"},
	} {
		g.Refuse("refused", kind)
		_, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: sdk.String(o.Prefix + "-profile"), Key: map[string]types.AttributeValue{"s": s("a")}})
		_, err2 := objects.GetObject(ctx, &s3.GetObjectInput{Bucket: sdk.String(o.Buckets + "-shop"), Key: sdk.String("k")})
		if codeOf(err) != want[0] || codeOf(err2) != want[1] {
			t.Errorf("%s: %v and %v", kind, err, err2)
		}
	}
}

func TestTheGroundDoesATransactionOncePerToken(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	db, _, _, _ := clients(g, "twice")
	in := &dynamodb.TransactWriteItemsInput{ClientRequestToken: sdk.String("token"), TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: sdk.String(o.Prefix + "-profile"), Item: map[string]types.AttributeValue{"s": s("a")}, ConditionExpression: sdk.String("attribute_not_exists(s)")}},
	}}
	for range 2 {
		_, err := db.TransactWriteItems(ctx, in)
		ok(t, err)
	}
}

func TestTheGroundLagsOnlyWhereNobodyAskedForConsistency(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	g.Inject("lagging", awslocal.Faults{Stale: 1000})
	db, _, _, _ := clients(g, "lagging")
	read := func(consistent bool) string {
		out, err := db.GetItem(ctx, &dynamodb.GetItemInput{TableName: sdk.String(o.Prefix + "-profile"), Key: map[string]types.AttributeValue{"s": s("a")}, ConsistentRead: &consistent})
		ok(t, err)
		if v, is := out.Item["n"].(*types.AttributeValueMemberS); is {
			return v.Value
		}
		return ""
	}
	readBatch := func(consistent bool) string {
		table := o.Prefix + "-profile"
		out, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			table: {Keys: []map[string]types.AttributeValue{{"s": s("a")}}, ConsistentRead: &consistent},
		}})
		ok(t, err)
		return out.Responses[table][0]["n"].(*types.AttributeValueMemberS).Value
	}
	for i, n := range []string{"1", "2"} {
		_, err := db.PutItem(ctx, &dynamodb.PutItemInput{TableName: sdk.String(o.Prefix + "-profile"), Item: map[string]types.AttributeValue{"s": s("a"), "n": s(n)}})
		ok(t, err)
		for _, read := range []func(bool) string{read, readBatch} {
			if now, lag := read(true), read(false); now != n || lag != "1" {
				t.Fatalf("after write %d: %s, lagging %s", i+1, now, lag)
			}
		}
	}
}
