package decide

import "errors"

// Canonical gives the one byte form of v: RFC 8785 with integers only.
func Canonical(v any) ([]byte, error) { return nil, errors.New("not built yet") }

// Hash is the record's chain hash: SHA-256 over its canonical form.
func (r Record) Hash() [32]byte { return [32]byte{} }
