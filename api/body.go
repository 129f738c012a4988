package api

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"

	"github.com/handschlag/handschlag/flow"
)

// Limits of unpacked bodies (design.md, HTTP API).
const (
	limitBatch  = 500 << 10
	limitSingle = 32 << 10
	limitCall   = 64 << 10
	limitPrice  = 1 << 20
	limitFeed   = 64 << 20
)

// budget bounds the bytes of all bodies that are in memory at one time. A slow
// or stalled sender holds only what it has sent so far.
type budget struct {
	max  int64
	held atomic.Int64
}

func (b *budget) take(n int64) bool {
	if b.held.Add(n) > b.max {
		b.held.Add(-n)
		return false
	}
	return true
}

func (b *budget) give(n int64) { b.held.Add(-n) }

// usual is the size of body that nearly all calls fit into; such buffers are
// used again. What is read from a body is copied by whoever keeps it.
const usual = 32 << 10

var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, 4<<10) }}

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, usual); return &b }}

// body reads a request's body, unpacked, up to limit bytes. The caller calls
// free when nobody looks at the bytes any more.
func (a *api) body(w http.ResponseWriter, r *http.Request, limit int64) (body []byte, free func(), err error) {
	raw := readers.Get().(*bufio.Reader)
	raw.Reset(http.MaxBytesReader(w, r.Body, limit))
	defer func() { raw.Reset(nil); readers.Put(raw) }()
	if _, err := raw.Peek(1); errors.Is(err, io.EOF) {
		return nil, func() {}, nil
	}
	src, err := unpacked(r, raw)
	if err != nil {
		return nil, func() {}, err
	}
	lent := buffers.Get().(*[]byte)
	buf, held, err := a.collect(src, (*lent)[:0], limit)
	return buf, func() { a.budget.give(held); buffers.Put(lent) }, err
}

// collect reads to the end, growing as bytes arrive and never beyond limit.
func (a *api) collect(src io.Reader, buf []byte, limit int64) (_ []byte, held int64, err error) {
	for {
		if len(buf) == cap(buf) {
			more := int64(min(cap(buf), 4<<20))
			if !a.budget.take(more) {
				return nil, held, errBusy
			}
			held += more
			buf = slices.Grow(buf, int(more))
		}
		n, err := src.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		switch {
		case int64(len(buf)) > limit:
			return nil, held, tooLarge(limit)
		case err == io.EOF:
			return buf, held, nil
		case err != nil:
			return nil, held, unreadable(err, limit)
		}
	}
}

// unpacked checks media type and encoding. RudderStack's SDKs send gzip as a
// form type, with or without saying so.
func unpacked(r *http.Request, raw *bufio.Reader) (io.Reader, error) {
	packed, err := gzipSaid(r.Header.Values("Content-Encoding"))
	if err != nil {
		return nil, err
	}
	media, err := mediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	switch media {
	case "application/json", "text/plain":
	case "application/x-www-form-urlencoded":
		magic, _ := raw.Peek(2)
		if !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			return nil, wrongMedia("a form body is read only if it is gzip")
		}
		packed = true
	default:
		return nil, wrongMedia("want Content-Type application/json or text/plain")
	}
	if !packed {
		return raw, nil
	}
	z, err := gzip.NewReader(raw)
	if err != nil {
		return nil, &flow.Fault{Status: http.StatusBadRequest, Code: "gzip_broken", Detail: "the body is not readable gzip"}
	}
	return z, nil
}

// mediaType reads a Content-Type in UTF-8; nearly all are as SDKs write them.
func mediaType(said string) (string, error) {
	if said == "application/json" || said == "text/plain" {
		return said, nil
	}
	media, params, err := mime.ParseMediaType(said)
	if err != nil {
		return "", wrongMedia("want Content-Type application/json or text/plain")
	}
	if c := params["charset"]; c != "" && !strings.EqualFold(c, "utf-8") {
		return "", wrongMedia("want charset utf-8")
	}
	return media, nil
}

func gzipSaid(encodings []string) (bool, error) {
	if len(encodings) == 0 {
		return false, nil
	}
	switch said := strings.ToLower(strings.TrimSpace(strings.Join(encodings, ","))); said {
	case "", "identity":
		return false, nil
	case "gzip", "x-gzip":
		return true, nil
	}
	return false, wrongMedia("want Content-Encoding gzip or none")
}

func wrongMedia(detail string) error {
	return &flow.Fault{Status: http.StatusUnsupportedMediaType, Code: "media_type", Detail: detail}
}

func tooLarge(limit int64) error {
	return &flow.Fault{Status: http.StatusRequestEntityTooLarge, Code: "body_too_large", Detail: fmt.Sprintf("want at most %d bytes, unpacked", limit)}
}

// unreadable says what a failed read means to the sender.
func unreadable(err error, limit int64) error {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(limit)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, io.ErrUnexpectedEOF):
		return &flow.Fault{Status: http.StatusBadRequest, Code: "body_broken", Detail: "the body ends early or is not readable gzip"}
	}
	return &flow.Fault{Status: http.StatusBadRequest, Code: "body_unreadable", Detail: "the body could not be read to its end"}
}
