//go:build awslocal

package main

import (
	"context"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/aws"
)

// TestAWSNightMayLetGoOfWhatIsDue has the night's role, as Terraform makes it, remove
// a sealed proof whose time is over, and a list entry that was replaced years ago.
func TestAWSNightMayLetGoOfWhatIsDue(t *testing.T) {
	ctx, c := context.Background(), openCloud(t)
	o := c.o
	o.Retain = aws.Retain{ProofYears: 3, ListYears: 3}
	shop, err := aws.Open(ctx, o)
	must(t, err)
	t.Cleanup(func() { must(t, shop.Close()) })
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	person := func(name string) consent.Subject {
		id, err := consent.NewID(consent.Account, name)
		must(t, err)
		s, err := shop.Assign(ctx, id)
		must(t, err)
		return s
	}
	erased, stays := person("erased"), person("stays")
	_, err = shop.Append(ctx, erased, func(consent.State) (consent.Record, error) {
		return consent.Record{
			Schema: consent.RecordSchema, RecordID: "given", Scope: consent.Account, PurposesShown: []consent.Purpose{consent.Analytics},
			Event:    consent.Act{Time: at, Type: "expressed", Method: "save", Actor: "subject"},
			Validity: consent.Validity{From: at, Until: at.AddDate(1, 0, 0)},
			Purposes: []consent.Choice{{Purpose: consent.Analytics, Status: consent.Given, Basis: "6-1-a"}},
		}, nil
	})
	must(t, err)
	must(t, shop.Sequence(ctx))
	_, err = shop.Erase(ctx, erased, at)
	must(t, err)
	for _, on := range []bool{true, false} {
		must(t, shop.Object(ctx, stays, consent.DirectMarketing, on, at))
	}
	must(t, shop.Sequence(ctx))
	if _, err := shop.SealedProof(ctx, "given"); err != nil {
		t.Fatal(err)
	}

	o.Account, o.Parts, o.Sequence = c.g.Account("night"), []aws.Part{}, 0
	night, err := aws.Open(ctx, o)
	must(t, err)
	t.Cleanup(func() { must(t, night.Close()) })
	later := at.AddDate(8, 0, 0)
	must(t, night.ExpireSealed(ctx, later))
	must(t, night.RetainLists(ctx, later))
	if _, err := shop.SealedProof(ctx, "given"); err == nil {
		t.Error("the proof is still there")
	}
	if left, err := shop.Listed(ctx, stays); err != nil || len(left) != 1 || left[0].On {
		t.Errorf("the list has %+v, %v", left, err)
	}
	must(t, shop.Sequence(ctx))
}
