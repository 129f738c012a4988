//go:build !lambda.norpc

package aws

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// raw is what Firehose delivered of one stream and no night has let go of yet.
type raw struct {
	n       *Night
	objects []rawObject
}

// rawObject is one delivered object, and what a survey found in it.
type rawObject struct {
	object
	days   map[string]bool
	erased bool // it holds something of an erased subject
}

// about says of a line of an object to which day it belongs, and what may stay of
// it: the line, or another one if it is about somebody who was erased.
type about func(o *rawObject, line []byte) (day string, left []byte, err error)

// survey reads every object of a stream, a few side by side.
func (n *Night) survey(ctx context.Context, stream string, read about) (*raw, error) {
	all, err := n.h.objects(ctx, bucketEvents, "raw/"+stream+"/")
	if err != nil {
		return nil, err
	}
	r := &raw{n: n, objects: make([]rawObject, len(all))}
	for i := range all {
		r.objects[i].object, r.objects[i].days = all[i], map[string]bool{}
	}
	var done sync.Mutex
	count := int64(0)
	err = each(ctx, len(all), atOnce, func(ctx context.Context, i int) error {
		o := &r.objects[i]
		err := n.eachLine(ctx, o, func(line []byte) error {
			day, left, err := read(o, line)
			o.days[day] = true
			o.erased = o.erased || !bytes.Equal(left, line)
			return err
		})
		done.Lock()
		defer done.Unlock()
		count++
		n.o.Progress("reading "+stream, count, int64(len(all)))
		return err
	})
	return r, err
}

// eachLine fetches an object and gives its lines without their ends.
func (n *Night) eachLine(ctx context.Context, o *rawObject, do func([]byte) error) (err error) {
	path := filepath.Join(n.work(), filepath.Base(o.key))
	if _, err := n.h.download(ctx, bucketEvents, o.object, path); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(path)) }()
	if err := eachLineOf(path, do); err != nil {
		return fmt.Errorf("reading object %s of bucket %s: %w", o.key, *n.h.bucket(bucketEvents), err)
	}
	return ctx.Err()
}

// eachLineOf reads a gzipped file of lines. One that ends in the middle of a line is
// damaged. A line is only valid during the call.
func eachLineOf(path string, do func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	z, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<16))
	if err != nil {
		return err
	}
	for in, n := bufio.NewReaderSize(z, 1<<18), 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err == nil {
			err = do(line[:len(line)-1])
		} else if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
}

// tidy lets go of the objects whose days are all compacted, and takes what is about
// erased subjects out of the others.
func (r *raw) tidy(ctx context.Context, compacted func(day string) bool, read about) error {
	var gone []string
	var dirty []*rawObject
	for i := range r.objects {
		o := &r.objects[i]
		done := true
		for day := range maps.Keys(o.days) {
			done = done && compacted(day)
		}
		switch {
		case done:
			gone = append(gone, o.key)
		case o.erased:
			dirty = append(dirty, o)
		}
	}
	if err := r.n.h.drop(ctx, bucketEvents, gone); err != nil {
		return err
	}
	return each(ctx, len(dirty), atOnce, func(ctx context.Context, i int) error { return r.n.cleanse(ctx, dirty[i], read) })
}

// cleanse writes an object again without what is about erased subjects.
func (n *Night) cleanse(ctx context.Context, o *rawObject, read about) error {
	var body bytes.Buffer
	out, _ := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	err := n.eachLine(ctx, o, func(line []byte) error {
		_, left, err := read(o, line)
		if err == nil {
			_, err = out.Write(append(left, '\n'))
		}
		return err
	})
	if err = errors.Join(err, out.Close()); err != nil {
		return err
	}
	_, err = n.h.swapObject(ctx, bucketEvents, o.key, body.Bytes(), &swap{o.etag})
	return movedBy(err, "object "+o.key)
}

// work is the folder of what a night needs for a moment.
func (n *Night) work() string { return filepath.Join(n.dir, "work") }
