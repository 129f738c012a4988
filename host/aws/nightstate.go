//go:build !lambda.norpc

package aws

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/consent/ledger"
)

// Where the night's own state lies between nights: files by their digest, and an
// index that names them, which is swapped as a whole.
const (
	stateIndex = "state/index.json"
	stateFiles = "state/files/"
)

// stateList is state/index.json.
type stateList struct {
	Files map[string]string `json:"files"` // SHA-256 by path within the folder
}

// Not state: what a night needs only while it runs.
var passing = []string{"LOCK", "snapshot", "spill", "fresh"}

// nightState is the state as the bucket had it, for the swap.
type nightState struct {
	list stateList
	etag string
}

// bringState makes a folder hold the state that the last night left, and nothing
// else: what a killed night made here is gone. Files that are there already, by
// their digest, are not fetched.
func (h *Host) bringState(ctx context.Context, dir string) (was nightState, err error) {
	body, etag, err := h.readObject(ctx, bucketNight, stateIndex)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return was, err
	}
	if err == nil {
		if err := json.Unmarshal(body, &was.list); err != nil {
			return was, fmt.Errorf("reading %s of bucket %s: %w", stateIndex, *h.bucket(bucketNight), err)
		}
	}
	was.etag = etag
	here, err := filesOf(dir)
	if err != nil {
		return was, err
	}
	for path, sum := range here {
		if was.list.Files[path] != sum {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				return was, err
			}
		}
	}
	lack := slices.Sorted(maps.Keys(was.list.Files))
	lack = slices.DeleteFunc(lack, func(path string) bool { return here[path] == was.list.Files[path] })
	stored, err := h.objects(ctx, bucketNight, stateFiles)
	if err != nil {
		return was, err
	}
	named := map[string]object{}
	for _, o := range stored {
		named[strings.TrimPrefix(o.key, stateFiles)] = o
	}
	return was, each(ctx, len(lack), atOnce, func(ctx context.Context, i int) error {
		want := was.list.Files[lack[i]]
		o, there := named[want]
		if !there {
			return fmt.Errorf("the night's state is damaged: %s of bucket %s is missing, which holds %s", stateFiles+want, *h.bucket(bucketNight), lack[i])
		}
		sum, err := h.download(ctx, bucketNight, o, filepath.Join(dir, lack[i]))
		if err == nil && sum != want {
			err = fmt.Errorf("the night's state is damaged: %s of bucket %s is not what its name says", o.key, *h.bucket(bucketNight))
		}
		return err
	})
}

// keepState uploads what changed and swaps the index, unless another night did since;
// then it removes what the index no longer names.
func (h *Host) keepState(ctx context.Context, dir string, was nightState) (nightState, error) {
	is := nightState{etag: was.etag}
	var err error
	if is.list.Files, err = filesOf(dir); err != nil {
		return was, err
	}
	stored, err := h.objects(ctx, bucketNight, stateFiles)
	if err != nil {
		return was, err
	}
	there := map[string]bool{}
	for _, o := range stored {
		there[strings.TrimPrefix(o.key, stateFiles)] = true
	}
	paths := slices.Sorted(maps.Keys(is.list.Files))
	err = each(ctx, len(paths), atOnce, func(ctx context.Context, i int) error {
		sum := is.list.Files[paths[i]]
		if there[sum] {
			return nil
		}
		_, err := h.upload(ctx, bucketNight, stateFiles+sum, filepath.Join(dir, paths[i]), nil)
		return err
	})
	if err != nil {
		return was, err
	}
	if !maps.Equal(is.list.Files, was.list.Files) {
		if is.etag, err = h.putJSON(ctx, bucketNight, stateIndex, is.list, &swap{was.etag}); err != nil {
			return was, movedBy(err, "the night's state")
		}
	}
	return is, h.sweepState(ctx, is, stored)
}

func (h *Host) sweepState(ctx context.Context, is nightState, stored []object) error {
	named := map[string]bool{}
	for _, sum := range is.list.Files {
		named[stateFiles+sum] = true
	}
	var stale []string
	for _, o := range stored {
		if !named[o.key] {
			stale = append(stale, o.key)
		}
	}
	return h.drop(ctx, bucketNight, stale)
}

// putJSON writes a JSON object, under conditions.
func (h *Host) putJSON(ctx context.Context, bucket, key string, v any, is *swap) (etag string, err error) {
	body, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "", err
	}
	return h.swapObject(ctx, bucket, key, append(body, '\n'), is)
}

// swapObject is put that knows its own work again: a try that was done but not
// answered makes the next one look as if somebody else had been there.
func (h *Host) swapObject(ctx context.Context, bucket, key string, body []byte, is *swap) (etag string, err error) {
	if etag, err = h.put(ctx, bucket, key, bytes.NewReader(body), is); err == nil {
		return etag, nil
	}
	there, now, e := h.readObject(context.WithoutCancel(ctx), bucket, key)
	switch {
	case e == nil && bytes.Equal(there, body):
		return now, nil
	case e != nil && !errors.Is(e, fs.ErrNotExist) && !errors.Is(err, ledger.ErrMoved):
		return "", errors.Join(errUnsure, err)
	}
	return "", err
}

// errUnsure says that a write may or may not have been done.
var errUnsure = errors.New("whether it was written is not known")

// movedBy says whose doing it was that something is not as this night read it.
func movedBy(err error, what string) error {
	if errors.Is(err, ledger.ErrMoved) {
		return fmt.Errorf("another night changed %s meanwhile", what)
	}
	return err
}

// filesOf gives the digests of a folder's files, by their paths with slashes.
func filesOf(dir string) (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		within, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if slices.Contains(passing, within) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		sum, err := digestOf(path)
		out[filepath.ToSlash(within)] = sum
		return err
	})
	return out, err
}

// digestOf is a file's SHA-256 in hex.
func digestOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
