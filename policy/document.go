package policy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// document is a policy as it is kept with decisions: the texts of all packages by
// file name, and the data that they read. Its digest is the policy's name.
type document struct {
	Data json.RawMessage   `json:"data"`
	Rego map[string]string `json:"rego"`
}

// writeDocument gives a document and its bytes.
func writeDocument(text map[string]string, s Settings) (document, []byte, error) {
	data, err := json.Marshal(map[string]any{"settings": s})
	if err != nil {
		return document{}, nil, fmt.Errorf("writing settings: %w", err)
	}
	d := document{data, text}
	b, err := d.appendJSON(nil)
	if err != nil {
		return document{}, nil, fmt.Errorf("writing policy document: %w", err)
	}
	return d, b, nil
}

// appendJSON appends what json.Marshal would give, without its copies: every function
// that starts writes the document.
func (d document) appendJSON(b []byte) ([]byte, error) {
	size := len(d.Data)
	for _, text := range d.Rego {
		size += len(text) + len(text)/8
	}
	b = append(slices.Grow(b, size), `{"data":`...)
	b = append(append(b, d.Data...), `,"rego":{`...)
	for i, name := range sortedKeys(d.Rego) {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if b, err = appendText(append(append(comma(b, i), key...), ':'), d.Rego[name]); err != nil {
			return nil, err
		}
	}
	return append(b, "}}"...), nil
}

// appendText quotes a text as json.Marshal does.
func appendText(b []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\u2028\u2029") {
		quoted, err := json.Marshal(text)
		return append(b, quoted...), err
	}
	b = append(b, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		if at := strings.IndexByte("\"\\\b\f\n\r\t", c); at >= 0 {
			b = append(b, '\\', "\"\\bfnrt"[at])
			continue
		}
		b = append(b, `\u00`...)
		b = append(b, hexDigits[c>>4], hexDigits[c&15])
	}
	return append(append(b, text[from:]...), '"'), nil
}

func readDocument(b []byte) (d document, err error) {
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("reading policy document: %w", err)
	}
	if len(d.Rego) == 0 {
		return d, errors.New("reading policy document: it has no rules")
	}
	return d, nil
}

// SettingsOf reads the numbers of the configuration that a policy document holds.
func SettingsOf(doc []byte) (Settings, error) {
	d, err := readDocument(doc)
	if err != nil {
		return Settings{}, err
	}
	var data struct{ Settings Settings }
	if err := json.Unmarshal(d.Data, &data); err != nil {
		return Settings{}, fmt.Errorf("reading policy document: %w", err)
	}
	return data.Settings, nil
}

// dataOf is what Rego sees as data, with numbers as they are written.
func dataOf(d document) (map[string]any, error) {
	data := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(d.Data))
	dec.UseNumber()
	if err := dec.Decode(&data); err != nil {
		return nil, fmt.Errorf("reading policy document: %w", err)
	}
	return data, nil
}

// partOf leaves out the packages of entries that nobody asks; what others may
// import stays.
func partOf(text map[string]string, entries []Entry) map[string]string {
	out := maps.Clone(text)
	maps.DeleteFunc(out, func(name, _ string) bool {
		e := Entry(path.Dir(name))
		return e.known() && !slices.Contains(entries, e)
	})
	return out
}

// LoadDocument compiles a policy document as it was kept with decisions, under
// the capabilities kept beside it, so that it judges exactly as it did then.
// Today's schemas do not bind it: facts may have been added since. Without
// entries it loads all that the document has.
func LoadDocument(ctx context.Context, doc, capabilities []byte, entries ...Entry) (*Rules, error) {
	d, err := readDocument(doc)
	if err != nil {
		return nil, err
	}
	has := func(e Entry) bool { return d.Rego[file(string(e))] != "" }
	if len(entries) == 0 {
		entries = slices.DeleteFunc(slices.Clone(Entries), func(e Entry) bool { return !has(e) })
	}
	for _, e := range entries {
		if !has(e) {
			return nil, fmt.Errorf("loading policy document: it has no package %q", e)
		}
	}
	can, err := readCapabilities(capabilities)
	if err != nil {
		return nil, err
	}
	compiler, err := compileUnder(partOf(d.Rego, entries), can, nil)
	if err != nil {
		return nil, fmt.Errorf("loading policy document: %w", err)
	}
	r, err := prepare(ctx, compiler, d, doc, capabilities, "", entries)
	if err != nil {
		return nil, fmt.Errorf("loading policy document: %w", err)
	}
	return r, nil
}

// LoadFolder compiles a candidate policy: the .rego files of a folder laid out as
// this one, tests ignored, under this program's capabilities and schemas. A package
// that the folder lacks is taken from the program. A folder without rules is an
// error: it would be today's policy under another name.
func LoadFolder(ctx context.Context, folder fs.FS, s Settings, entries ...Entry) (*Rules, error) {
	text, err := folderSources(folder)
	if err != nil {
		return nil, fmt.Errorf("loading a folder of rules: %w", err)
	}
	r, err := loadWith(ctx, text, s, entries)
	if err != nil {
		return nil, fmt.Errorf("loading a folder of rules: %w", err)
	}
	return r, nil
}

// folderSources lays the folder's packages over the program's.
func folderSources(folder fs.FS) (map[string]string, error) {
	names, err := fs.Glob(folder, "*/*.rego")
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.HasSuffix(n, "_test.rego") })
	if len(names) == 0 {
		return nil, errors.New("it holds no PACKAGE/PACKAGE.rego")
	}
	text, err := allSources()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		b, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading rules: %w", err)
		}
		text[name] = string(b)
	}
	return text, nil
}
