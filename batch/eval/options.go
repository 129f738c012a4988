package eval

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Options are what every evaluation is given.
type Options struct {
	Data      string               // folder of the data sets (EVAL_DATA), such as ../shared/data
	TrainOnly bool                 // fit and cross-validate on training rows, open no hold-out
	Opened    func(holdout string) // is told each time a hold-out is opened
}

// Open opens a file of a data set. The error says what lacks and how to mend it; it
// wraps fs.ErrNotExist where the file is missing, for which a row says "not present".
func (o Options) Open(name string) (*os.File, error) {
	f, err := os.Open(filepath.Join(o.Data, filepath.FromSlash(name)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not in %s (set EVAL_DATA or --data to the folder of the data sets): %w", name, o.Data, fs.ErrNotExist)
	}
	return f, err
}
