package config_test

import (
	"strings"
	"testing"

	"github.com/handschlag/handschlag/config"
)

// TestAPlaceInAConditionIsFoundInTheFile: whatever way the file writes the text.
func TestAPlaceInAConditionIsFoundInTheFile(t *testing.T) {
	for name, c := range map[string]string{
		"plain":         "    where: orders_90d > 0 and HERE > 1\n",
		"after a key":   "    where:    HERE > 1\n",
		"single quotes": "    where: 'a = ''x'' and HERE > 1'\n",
		"double quotes": "    where: \"a = \\\"x\\\" and\\t HERE > 1\"\n",
		"folded":        "    where: >-\n      orders_90d > 0\n      and  HERE > 1\n",
		"literal":       "    where: |\n      orders_90d > 0 and\n        HERE > 1\n",
		"plain lines":   "    where: orders_90d > 0\n      and HERE > 1\n",
		"umlauts":       "    where: a = 'ä' or HERE > 1\n",
		"with title":    "    where: HERE > 1 # why HERE\n",
	} {
		t.Run(name, func(t *testing.T) {
			yaml := "# ä\nsegments:\n  - name: a\n    title: {de: A, en: A}\n" + c + "    special: health\n"
			cfg, err := config.Parse([]byte(yaml))
			if err != nil {
				t.Fatal(err)
			}
			s := cfg.Segments[0]
			line, column := s.Place(strings.Index(s.Where, "HERE"))
			before, _, _ := strings.Cut(yaml, "HERE")
			wantLine := strings.Count(before, "\n") + 1
			wantColumn := len([]rune(before[strings.LastIndex(before, "\n")+1:])) + 1
			if line != wantLine || column != wantColumn {
				t.Errorf("line %d, column %d, want %d, %d", line, column, wantLine, wantColumn)
			}
			endLine, endColumn := s.Place(len(s.Where))
			if endLine < line || endLine == line && endColumn != column+len("HERE > 1") {
				t.Errorf("the end is at line %d, column %d", endLine, endColumn)
			}
		})
	}
}

func TestADefaultSegmentHasNoPlaceInAFileThatDoesNotNameIt(t *testing.T) {
	cfg, err := config.Parse([]byte("tenant: a\n"))
	if err != nil {
		t.Fatal(err)
	}
	if line, column := cfg.Segments[0].Place(3); line != 0 || column != 0 {
		t.Errorf("line %d, column %d", line, column)
	}
}

// TestReadGoesOnAfterAProblem: other checks can add theirs, in the order of the file.
func TestReadGoesOnAfterAProblem(t *testing.T) {
	cfg, wrong := config.Read([]byte("tenant: A B\nsegments:\n  - {name: a, title: {de: A, en: A}, where: x > 1}\n"))
	if len(wrong) != 1 || len(cfg.Segments) != 1 || cfg.Segments[0].Where != "x > 1" {
		t.Errorf("%v, %+v", wrong, cfg.Segments)
	}
	all := append(config.Errors{{Line: 3, Column: 9}, {Line: 3, Column: 2}}, wrong...)
	all.Sort()
	if all[0].Line != 1 || all[1].Column != 2 || !strings.HasPrefix(all[2].String(), "line 3, column 9: ") {
		t.Errorf("%v", all)
	}
}
