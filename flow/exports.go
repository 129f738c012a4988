package flow

import (
	"io"
	"time"
)

// ExportsAnswer lists the published nights, newest first.
type ExportsAnswer struct {
	Exports []Export `json:"exports"`
}

// Export is one night's export.
type Export struct {
	Date  string   `json:"date"`
	Files []string `json:"files"` // named in its manifest, and manifest.json itself
}

// ExportBody is an opened export file. The caller closes it.
type ExportBody struct {
	io.ReadCloser
	Name     string
	Type     string // media type
	Size     int64
	Modified time.Time
}
