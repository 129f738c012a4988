package segment

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"
	"time"
)

//go:embed report/*.tmpl report/report.css
var pages embed.FS

// page is report.html: the report for eyes, in German and English, with nothing from
// outside and no script. Both languages are there whole; two radio buttons choose one
// by CSS, and without CSS one follows the other. Its policy lets in that one style
// sheet alone.
func (r Report) page() ([]byte, error) {
	style, err := pages.ReadFile("report/report.css")
	if err != nil {
		return nil, fmt.Errorf("reading the report's style: %w", err)
	}
	sum := sha256.Sum256(style)
	frame := struct {
		Policy, Title   string
		Style           template.CSS
		English, German template.HTML
	}{
		Policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'",
		Title:  r.AsOf.Format(time.DateOnly), Style: template.CSS(style),
	}
	if frame.English, err = r.half("en"); err != nil {
		return nil, err
	}
	if frame.German, err = r.half("de"); err != nil {
		return nil, err
	}
	out, err := execute("page.tmpl", template.FuncMap{}, frame)
	return []byte(out), err
}

// half is the page's content in one language: main.html.tmpl, which names the
// sections of the other files.
func (r Report) half(lang string) (template.HTML, error) {
	v := view{R: r, tongue: tongue{lang}}
	return execute("*.html.tmpl", v.funcs(), v)
}

// execute fills the templates of report/ that a pattern names, from the one that no
// other includes.
func execute(pattern string, funcs template.FuncMap, data any) (template.HTML, error) {
	root := strings.ReplaceAll(pattern, "*", "main")
	t, err := template.New(root).Funcs(funcs).ParseFS(pages, "report/"+pattern)
	if err != nil {
		return "", fmt.Errorf("reading the report's template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return "", fmt.Errorf("writing report.html: %w", err)
	}
	return template.HTML(b.String()), nil // a template's own output, escaped as it was made
}
