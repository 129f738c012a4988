package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Ready says in one line what is missing or denied, by reading the table that every
// request begins with, and by asking for the catalogue that it points at.
func (h *Host) Ready(ctx context.Context) error {
	at, err := h.control(ctx, controlProducts)
	if err != nil {
		return fmt.Errorf("not ready: %w", err)
	}
	object := strOf(at, "object")
	if object == "" {
		return nil
	}
	if _, err := h.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: h.bucket(bucketShop), Key: &object}); err != nil {
		return fmt.Errorf("not ready: %w", h.fault("s3:GetObject", "bucket "+*h.bucket(bucketShop), err))
	}
	return nil
}
