package flow

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// ExportsAnswer lists the published nights, newest first.
type ExportsAnswer struct {
	Exports []Export `json:"exports"`
}

// Export is one night's export.
type Export struct {
	Date  string   `json:"date"`
	Files []string `json:"files"` // manifest.json and what it names
}

// ExportBody is an opened export file. The caller closes it.
type ExportBody struct {
	io.ReadCloser
	Name     string
	Type     string // media type
	Size     int64
	Modified time.Time
}

const manifest = "manifest.json"

// Exports lists the nights whose manifest is there: without one, a folder is not
// published.
func (f *Flow) Exports(ctx context.Context, c Caller) (ExportsAnswer, error) {
	if _, err := c.staff(RoleMarketing); err != nil {
		return ExportsAnswer{}, err
	}
	a := ExportsAnswer{Exports: []Export{}}
	root, err := os.OpenRoot(f.host.ExportsDir())
	if errors.Is(err, fs.ErrNotExist) || f.host.ExportsDir() == "" {
		return a, nil
	}
	if err != nil {
		return a, unavailable("opening exports", err)
	}
	defer root.Close()
	days, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return a, unavailable("listing exports", err)
	}
	for _, d := range slices.Backward(days) {
		if !d.IsDir() || !isDate(d.Name()) {
			continue
		}
		files, err := listed(root, d.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return a, unavailable("reading an export manifest", err)
		}
		a.Exports = append(a.Exports, Export{Date: d.Name(), Files: files})
	}
	return a, nil
}

// ExportFile opens one file that a night's manifest names, and records who did.
// With the switch off nothing leaves.
func (f *Flow) ExportFile(ctx context.Context, date, file string, c Caller) (ExportBody, error) {
	who, err := c.staff(RoleMarketing)
	if err != nil {
		return ExportBody{}, err
	}
	on, err := f.on(ctx, SwitchExports)
	if err != nil {
		return ExportBody{}, err
	}
	if !on {
		return ExportBody{}, forbidden("exports_off", "refused by SWITCH: exports are switched off")
	}
	unknown := missing("export_unknown", "date or file: no published export has it")
	if !isDate(date) || f.host.ExportsDir() == "" {
		return ExportBody{}, unknown
	}
	root, err := os.OpenRoot(f.host.ExportsDir())
	if err != nil {
		return ExportBody{}, unavailable("opening exports", err)
	}
	defer root.Close()
	files, err := listed(root, date)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !slices.Contains(files, file) {
		return ExportBody{}, unknown
	}
	if err != nil {
		return ExportBody{}, unavailable("reading an export manifest", err)
	}
	return f.opened(ctx, root, date, file, who)
}

func (f *Flow) opened(ctx context.Context, root *os.Root, date, file string, who Staff) (ExportBody, error) {
	body, err := root.Open(path.Join(date, file))
	if err != nil {
		return ExportBody{}, unavailable("opening an export file", err)
	}
	info, err := body.Stat()
	if err != nil {
		body.Close()
		return ExportBody{}, unavailable("opening an export file", err)
	}
	r, err := f.staffRecord(f.now(), decide.ActionExport, who.actor(), map[string]any{"date": date, "file": file}, map[string]any{"bytes": info.Size()})
	if err == nil {
		err = f.decided(ctx, &r)
	}
	if err != nil {
		body.Close()
		return ExportBody{}, unavailable("writing a decision record", err)
	}
	return ExportBody{ReadCloser: body, Name: file, Type: mediaType(file), Size: info.Size(), Modified: info.ModTime()}, nil
}

// listed are the files of a night: the manifest and what it names. A name that
// leaves the folder is not one.
func listed(root *os.Root, date string) ([]string, error) {
	b, err := root.ReadFile(path.Join(date, manifest))
	if err != nil {
		return nil, err
	}
	var m struct {
		Files []struct {
			Name string `json:"name"`
		} `json:"files"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	files := []string{manifest}
	for _, x := range m.Files {
		if n := x.Name; n != "" && n != "." && !strings.ContainsAny(n, `/\`) && fs.ValidPath(n) {
			files = append(files, n)
		}
	}
	return files, nil
}

func isDate(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }

func mediaType(file string) string {
	switch path.Ext(file) {
	case ".json":
		return "application/json"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".parquet":
		return "application/vnd.apache.parquet"
	case ".html":
		return "text/html; charset=utf-8"
	}
	return "application/octet-stream"
}
