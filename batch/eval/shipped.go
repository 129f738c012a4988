package eval

import (
	"compress/gzip"
	"embed"
	"errors"
	"io"
	"io/fs"
)

// shippedFiles are data sets that may be redistributed, cut to the columns that are read;
// the SOURCE.md beside each says what was left out.
//
//go:embed testdata/*/*/*.gz testdata/*/*.gz
var shippedFiles embed.FS

// openShipped opens a file of a data set, or the copy that is shipped with the program.
func (o Options) openShipped(name string) (io.ReadCloser, error) {
	f, missing := o.Open(name)
	if missing == nil {
		return f, nil
	}
	if !errors.Is(missing, fs.ErrNotExist) {
		return nil, missing
	}
	packed, err := shippedFiles.Open("testdata/" + name + ".gz")
	if err != nil {
		return nil, missing
	}
	r, err := gzip.NewReader(packed)
	if err != nil {
		return nil, err
	}
	return r, nil
}
