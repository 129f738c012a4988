package snapshot

import (
	"bytes"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/price"
)

// TestFilesKeepTheNameOfTheirRows: Parquet writes it down, and equal nights must give
// equal bytes from one version to the next.
func TestFilesKeepTheNameOfTheirRows(t *testing.T) {
	files := map[string]*bytes.Buffer{}
	to := Replace(func(name string, fill func(io.Writer) error) error {
		files[name] = &bytes.Buffer{}
		return fill(files[name])
	})
	for _, err := range []error{
		to.Standings(func(func(Person) error) error { return nil }, func(s consent.State) consent.State { return s }),
		to.Links(func(func(LinkRow) error) error { return nil }),
		to.Products(func(func(event.Product) error) error { return nil }),
		to.Prices(func(func([]price.Interval) error) error { return nil }),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, rows := range map[string]string{"standings": "standingRow", "subjects": "subjectRow", "links": "linkRow", "products": "productRow", "prices": "priceRow"} {
		body := files[name+".parquet"].Bytes()
		f, err := parquet.OpenFile(bytes.NewReader(body), int64(len(body)))
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Schema().Name(); got != rows {
			t.Errorf("%s.parquet holds rows named %s, want %s", name, got, rows)
		}
	}
}
