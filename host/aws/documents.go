package aws

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

func documentKey(digest string) string { return "documents/" + url.PathEscape(digest) }

// PutDocument keeps a document under its digest, once: the first one stays.
func (h *Host) PutDocument(ctx context.Context, digest string, body []byte) error {
	err := h.writeObject(ctx, bucketShop, documentKey(digest), body, &swap{})
	if err != nil && !errors.Is(err, ledger.ErrMoved) {
		return fmt.Errorf("keeping document: %w", err)
	}
	return nil
}

// Document finds one.
func (h *Host) Document(ctx context.Context, digest string) ([]byte, error) {
	body, _, err := h.readObject(ctx, bucketShop, documentKey(digest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("document: %w", flow.ErrNotFound)
	}
	return body, err
}
