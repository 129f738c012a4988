package awslocal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/handschlag/handschlag/host/aws"
)

// Fresh makes tables, buckets, streams and keys under a prefix of their own and
// gives what opens them as the function "test".
func (g *Ground) Fresh(t testing.TB) aws.Options {
	t.Helper()
	var b [5]byte
	_, _ = rand.Read(b[:])
	prefix := "hs-" + hex.EncodeToString(b[:])
	if err := g.Make(context.Background(), prefix, prefix+"-"+AccountID); err != nil {
		t.Fatalf("making %s: %v", prefix, err)
	}
	return aws.Options{Prefix: prefix, Buckets: prefix + "-" + AccountID, Tenant: "shop", Account: g.Account("test")}
}

// Make makes what host/aws/schema.go names.
func (g *Ground) Make(ctx context.Context, prefix, buckets string) error {
	g.books.addHome(prefix)
	for _, b := range aws.Buckets {
		if err := g.store.make(buckets+"-"+b.Name, b.Locked); err != nil {
			return err
		}
	}
	for _, s := range aws.Streams {
		g.hose.make(prefix+"-"+s, buckets+"-events", "raw/"+s+"/")
	}
	var wg sync.WaitGroup
	errs := make([]error, len(aws.Tables)+len(aws.Keys))
	for i, t := range aws.Tables {
		wg.Go(func() { errs[i] = g.makeTable(ctx, prefix, t) })
	}
	for i, k := range aws.Keys {
		wg.Go(func() { errs[len(aws.Tables)+i] = g.makeKey(ctx, "alias/"+prefix+"-"+k) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (g *Ground) config() sdk.Config {
	a := g.Account("ground")
	return sdk.Config{Region: a.Region, Credentials: a.Credentials, BaseEndpoint: &g.URL}
}

func (g *Ground) makeTable(ctx context.Context, prefix string, t aws.Table) error {
	in := &dynamodb.CreateTableInput{
		TableName: sdk.String(prefix + "-" + t.Name), BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(t.Hash, t.Range),
	}
	names := map[string]bool{t.Hash: true, t.Range: true}
	for _, x := range t.Indexes {
		names[x.Hash], names[x.Range] = true, true
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: sdk.String(x.Name), KeySchema: keySchema(x.Hash, x.Range),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		})
	}
	for n := range names {
		if n != "" {
			in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{AttributeName: sdk.String(n), AttributeType: "S"})
		}
	}
	_, err := dynamodb.NewFromConfig(g.config()).CreateTable(ctx, in)
	var there *types.ResourceInUseException
	if errors.As(err, &there) {
		return nil
	}
	return err
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	out := []types.KeySchemaElement{{AttributeName: sdk.String(hash), KeyType: types.KeyTypeHash}}
	if sort != "" {
		out = append(out, types.KeySchemaElement{AttributeName: sdk.String(sort), KeyType: types.KeyTypeRange})
	}
	return out
}

// makeKey makes a key and its alias, and remembers which is which: Decrypt names
// neither.
func (g *Ground) makeKey(ctx context.Context, alias string) error {
	c := kms.NewFromConfig(g.config())
	if out, err := c.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: &alias}); err == nil {
		g.books.nameKey(*out.KeyMetadata.KeyId, alias)
		return nil
	}
	out, err := c.CreateKey(ctx, &kms.CreateKeyInput{})
	if err != nil {
		return err
	}
	g.books.nameKey(*out.KeyMetadata.KeyId, alias)
	_, err = c.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: &alias, TargetKeyId: out.KeyMetadata.KeyId})
	return err
}
