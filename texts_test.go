package handschlag_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// SIG-03: nothing that we publish may say that a browser's signal is ignored. Public
// are the texts that people read: Markdown, pages, the configuration's notices,
// and the words of the rules.
var (
	publicText = regexp.MustCompile(`\.(md|html|yaml|rego|json|mjs)$`)
	aSignal    = regexp.MustCompile(`(?i)\b(do not track|dnt|global privacy control|sec-gpc|gpc|browser[- ]?signals?|signale? (ihres|des) browsers)\b`)
	aBrushOff  = regexp.MustCompile(`(?i)(\bignor|nicht (beachte|berücksichtig|ausgewerte|befolg)|\bunbeachtet|do(es)? not (respond|honou?r|react|support|respect)|\bdisregard|\bkeine (wirkung|beachtung)|has no effect|haben? keine auswirkung)`)
	sentence   = regexp.MustCompile(`[.!?;:]\s|\n\s*\n|\n\s*(#|-|\*|\|)|"`)
)

// brushOffs are the sentences of a text that speak of a signal and brush it off.
func brushOffs(text string) (out []string) {
	for _, s := range sentence.Split(text, -1) {
		if aSignal.MatchString(s) && aBrushOff.MatchString(s) {
			out = append(out, strings.Join(strings.Fields(s), " "))
		}
	}
	return out
}

func TestSIG03AllowTextsThatHonourSignals(t *testing.T) {
	for _, s := range []string{
		"Wir beachten Global Privacy Control.",
		"Do Not Track is an objection to tracking. Unknown fields are ignored.",
		"Only a header value that is exactly 1 counts as Global Privacy Control.",
	} {
		if got := brushOffs(s); len(got) > 0 {
			t.Errorf("the lint takes offence at %q", got)
		}
	}
}

func TestSIG03DenyTextsThatIgnoreSignals(t *testing.T) {
	for _, s := range []string{
		"Our site does not respond to Do Not Track.",
		"DNT-Signale werden von uns nicht berücksichtigt.",
		"We ignore\nGlobal Privacy Control.",
		"Ein Signal des Browsers wie GPC hat bei uns keine Wirkung.",
	} {
		if len(brushOffs(s)) == 0 {
			t.Errorf("the lint overlooks %q", s)
		}
	}
	read := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() == "data" || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == ".git"):
			return fs.SkipDir
		case d.IsDir() || !publicText.MatchString(path) || path == filepath.Join("policy", "law", "catalogue.json"):
			return nil // the catalogue is the law's words about shops, not ours to visitors
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		read++
		for _, s := range brushOffs(string(body)) {
			t.Errorf("%s says: %s", path, s)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 20 {
		t.Errorf("only %d texts were read", read)
	}
}
