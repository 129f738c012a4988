package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/price"
)

type productsCmd struct {
	Import productsImportCmd `cmd:"" help:"Add or replace products by id, all or none."`
}

type productsImportCmd struct {
	place
	File string `arg:"" help:"CSV or NDJSON: product_id,category,product_class,price_cents,stock,locales,tags (lists with |). - for standard input."`
}

// Run imports a catalogue.
func (c productsImportCmd) Run(ctx context.Context, s streams) error {
	return read(c.File, s, func(r io.Reader, format string) error {
		products, err := event.ReadProducts(r, format)
		if err != nil {
			return named(c.File, err)
		}
		return feed(ctx, s, c.place, "/v1/products", map[string]any{"products": products}, "products")
	})
}

type priceCmd struct {
	Import  priceImportCmd  `cmd:"" help:"Add price intervals to the history, all or none."`
	Refunds priceRefundsCmd `cmd:"" help:"Who is due a refund because a public price fell after the purchase, as of the last night."`
	Bought  priceBoughtCmd  `cmd:"" help:"Who bought right before a steep fall of a price, as of the last night."`
}

type priceImportCmd struct {
	place
	File      string `arg:"" help:"CSV: product_id,storefront,channel,currency,from,to,gross_cents,announced. - for standard input."`
	SignedOff string `placeholder:"NAME" help:"Who stands for moves beyond the shop's own limits (prices.guard)."`
	Reason    string `help:"Why, with --signed-off."`
}

// Run imports price intervals.
func (c priceImportCmd) Run(ctx context.Context, s streams) error {
	return read(c.File, s, func(r io.Reader, _ string) error {
		rows, err := price.ReadHistory(r)
		if err != nil {
			return named(c.File, err)
		}
		body := map[string]any{"prices": rows}
		if c.SignedOff != "" || c.Reason != "" {
			body["signed_off"] = flow.SignOff{By: c.SignedOff, Reason: c.Reason}
		}
		return feed(ctx, s, c.place, "/v1/prices", body, "price intervals")
	})
}

func feed(ctx context.Context, s streams, p place, path string, body any, what string) error {
	return p.with(ctx, s, func(r *reached) error {
		var out flow.FeedAnswer
		if err := r.call(ctx, "PUT", path, body, &out); err != nil {
			return err
		}
		s.printf("stored %d %s\n", out.Stored, what)
		return nil
	})
}

// read opens a file, or standard input, and tells CSV from NDJSON: by name, else
// by the first character.
func read(path string, s streams, do func(r io.Reader, format string) error) error {
	in := s.in
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("reading the file: %w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	r := bufio.NewReader(in)
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return do(r, "csv")
	case ".ndjson", ".jsonl":
		return do(r, "ndjson")
	}
	if first, _ := r.Peek(1); len(first) == 1 && first[0] == '{' {
		return do(r, "ndjson")
	}
	return do(r, "csv")
}

// named says which file an error is about: one line for each bad line of it.
func named(path string, err error) error {
	var out problems
	for _, line := range strings.Split(err.Error(), "\n") {
		out = append(out, path+": "+line)
	}
	return out
}
