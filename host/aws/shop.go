package aws

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
)

// PutProducts writes the whole catalogue as a new object and swaps the pointer. Two
// imports at once both count: the later one begins again with what the other left.
func (h *Host) PutProducts(ctx context.Context, ps []event.Product) error {
	for _, p := range ps {
		if p.ID == "" {
			return errors.New("putting products: a product has no id")
		}
	}
	defer forgetAhead(ctx)
	if err := again(ctx, func() error { return h.putProducts(ctx, ps) }); err != nil {
		return fmt.Errorf("putting products: %w", err)
	}
	return nil
}

func (h *Host) putProducts(ctx context.Context, ps []event.Product) error {
	was, err := h.control(ctx, controlProducts)
	if err != nil {
		return err
	}
	all, err := h.productsAt(ctx, strOf(was, "object"))
	if err != nil {
		return err
	}
	body, err := catalogue(all, ps)
	if err != nil {
		return err
	}
	version := numOf(was, "version") + 1
	object := fmt.Sprintf("products/%d-%s.ndjson.gz", version, randomName()[:8])
	if err := h.writeObject(ctx, bucketShop, object, body, nil); err != nil {
		return err
	}
	if err := h.pointToProducts(ctx, was, version, object); err != nil {
		if errors.Is(err, errAgain) { // else the pointer may have moved all the same
			h.sweep(ctx, object)
		}
		return err
	}
	h.sweep(ctx, strOf(was, "before")) // whoever still reads the last one finds it
	return nil
}

// catalogue merges products by id and packs them, a line each.
func catalogue(all, more []event.Product) ([]byte, error) {
	byID := make(map[string]event.Product, len(all)+len(more))
	for _, p := range slices.Concat(all, more) {
		byID[p.ID] = p
	}
	all = all[:0:0]
	for _, p := range byID {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b event.Product) int { return cmp.Compare(a.ID, b.ID) })
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	into := json.NewEncoder(z)
	for _, p := range all {
		if err := into.Encode(p); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return out.Bytes(), err
}

// pointToProducts makes a catalogue the live one, if the one it was made from is. A
// try that was done but not answered finds its own object there.
func (h *Host) pointToProducts(ctx context.Context, was item, version int64, object string) error {
	i, same, values := controlKey(controlProducts), "attribute_not_exists(p) OR #o = :me", item{":me": str(object)}
	i["version"], i["object"] = num(version), str(object)
	if was != nil {
		same, values[":was"] = "#o = :was OR #o = :me", was["object"]
		i["before"] = was["object"]
	}
	_, err := h.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: h.table(tableControl), Item: i, ConditionExpression: &same,
		ExpressionAttributeNames: map[string]string{"#o": "object"}, ExpressionAttributeValues: values,
	})
	var moved *types.ConditionalCheckFailedException
	if errors.As(err, &moved) {
		return errAgain
	}
	return h.fault("dynamodb:PutItem", "table "+*h.table(tableControl), err)
}

// sweep removes an object that nothing points at. One that stays does no harm.
func (h *Host) sweep(ctx context.Context, object string) {
	if object == "" {
		return
	}
	if _, err := h.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: h.bucket(bucketShop), Key: &object}); err != nil {
		h.opts.Log.Warn("an object that nothing points at stays", "err", h.fault("s3:DeleteObject", "bucket "+*h.bucket(bucketShop), err))
	}
}

// productsAt reads a catalogue, in the order of ids; "" has none.
func (h *Host) productsAt(ctx context.Context, object string) (out []event.Product, err error) {
	if object == "" {
		return nil, nil
	}
	body, _, err := h.readObject(ctx, bucketShop, object)
	if err != nil {
		return nil, err
	}
	err = eachLine(body, func(line []byte) error {
		var p event.Product
		err := json.Unmarshal(line, &p)
		out = append(out, p)
		return err
	})
	return out, err
}

// AllProducts lists them by id.
func (h *Host) AllProducts(ctx context.Context) (out []event.Product, err error) {
	gone := ""
	err = again(ctx, func() error {
		at, err := h.control(ctx, controlProducts)
		if err != nil {
			return err
		}
		object := strOf(at, "object")
		out, err = h.productsAt(ctx, object)
		if errors.Is(err, fs.ErrNotExist) && object != gone { // replaced twice while we were at it
			gone = object
			return errAgain
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading products: %w", err)
	}
	return out, nil
}

// Product finds one in the whole catalogue.
func (h *Host) Product(ctx context.Context, id string) (event.Product, error) {
	all, err := h.AllProducts(ctx)
	if err != nil {
		return event.Product{}, err
	}
	n, is := slices.BinarySearchFunc(all, id, func(p event.Product, id string) int { return cmp.Compare(p.ID, id) })
	if !is {
		return event.Product{}, fmt.Errorf("product: %w", flow.ErrNotFound)
	}
	return all[n], nil
}

// ProductsVersion counts PutProducts.
func (h *Host) ProductsVersion(ctx context.Context) (uint64, error) {
	at, err := h.control(ctx, controlProducts)
	return uint64(numOf(at, "version")), err
}

// pack makes compressed JSON of a value, unpack reads it.
func pack(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(body); err != nil {
		return nil, err
	}
	err = z.Close()
	return out.Bytes(), err
}

func unpack(b []byte, v any) error {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(z)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
