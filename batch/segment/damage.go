package segment

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// damaged says which file of the state folder is not as a night left it, and how
// to go on: nobody but the operator may decide to do without it.
func damaged(file, why string) error {
	return fmt.Errorf("the night's state is damaged: %s %s: remove the night folder's state.json, and the next night rebuilds from the events that are still there", file, why)
}

// readState reads state.json; none is the state before the first night. A file
// with a byte changed is an error. Files of it are checked by verify.
func readState(dir string) (state, error) {
	body, err := os.ReadFile(filepath.Join(dir, "state.json"))
	if errors.Is(err, os.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("reading the night's state: %w", err)
	}
	var s state
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields() // or a damaged "sum" would look like a state from before sums
	if err := dec.Decode(&s); err != nil {
		return state{}, damaged("state.json", "cannot be read")
	}
	if s.Sum == "" && s.Sums == nil {
		return s, nil // of a version that kept no sums
	}
	if whole, err := s.seal(); err != nil || !bytes.Equal(body, whole) {
		return state{}, damaged("state.json", "does not have the SHA-256 that it says")
	}
	return s, nil
}

// seal gives state.json with its own SHA-256 in it.
func (s state) seal() ([]byte, error) {
	return withSum(&s.Sum, func() ([]byte, error) { return json.MarshalIndent(s, "", "  ") })
}

// named are the paths of the state's files, in order.
func (s state) named() []string {
	files := slices.Collect(maps.Values(s.Files))
	for _, d := range s.Days {
		files = append(files, d.File)
	}
	return slices.Sorted(slices.Values(files))
}

// verify holds every file against the SHA-256 it was written with.
func (s state) verify(dir string) error {
	if s.Sums == nil {
		return nil // of a version that kept no sums
	}
	for _, file := range s.named() {
		switch _, sum, err := digestFile(filepath.Join(dir, file)); {
		case errors.Is(err, os.ErrNotExist):
			return damaged(file, "is missing")
		case err != nil:
			return fmt.Errorf("reading the night's state: %w", err)
		case sum != s.Sums[file]:
			return damaged(file, "does not have the SHA-256 in state.json")
		}
	}
	return nil
}

// digest notes the SHA-256 of every file; those of files that earlier nights
// wrote are known, and stay.
func (s *state) digest(dir string, known map[string]string) error {
	s.Sums = map[string]string{}
	for _, file := range s.named() {
		if sum, ok := known[file]; ok {
			s.Sums[file] = sum
			continue
		}
		_, sum, err := digestFile(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		s.Sums[file] = sum
	}
	return nil
}

// withSum writes something that holds its own SHA-256: of itself with an empty sum.
func withSum(sum *string, write func() ([]byte, error)) ([]byte, error) {
	*sum = ""
	body, err := write()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(body)
	*sum = hex.EncodeToString(digest[:])
	return write()
}
