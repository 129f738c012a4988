package segment

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/config"
)

// named is what a segment or channel may be called: the name becomes a file's.
var named = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// tombstones is the name of the files that list rows to delete; no segment may have it.
const tombstones = "tombstones"

// Validate says what is wrong with the segments and channels of a configuration,
// all of it, each with the segment's name and line. A predicate must be one
// boolean expression over the columns of features: no subquery, no function
// outside a short list, so that it can read nothing else and answers alike twice.
func Validate(ctx context.Context, c *config.Config) error {
	spill, err := os.MkdirTemp("", "handschlag-segments-")
	if err != nil {
		return fmt.Errorf("checking segments: %w", err)
	}
	defer func() { _ = os.RemoveAll(spill) }()
	w, err := openWarehouse(ctx, spill, 256, 1)
	if err != nil {
		return err
	}
	defer w.close()
	n := &night{in: Inputs{Config: c}, db: w, date: time.Unix(0, 0).UTC().Format(time.DateOnly)}
	if err := n.shape(ctx); err != nil {
		return err
	}
	return n.validate(ctx)
}

// validate needs the table features, empty or not.
func (n *night) validate(ctx context.Context) error {
	var wrong []error
	seen := map[string]bool{}
	for _, s := range n.in.Config.Segments {
		err := n.predicate(ctx, s.Where)
		switch {
		case !named.MatchString(s.Name) || s.Name == tombstones || s.Name == revocations:
			err = errors.New("the name must be lower-case letters, digits and _, and not \"tombstones\" or \"revocations\"")
		case seen[s.Name]:
			err = errors.New("the name is used twice")
		}
		seen[s.Name] = true
		if err != nil {
			wrong = append(wrong, fmt.Errorf("segment %q (line %d): %w", s.Name, s.Line, err))
		}
	}
	for _, c := range n.in.Config.Exports.Channels {
		if !named.MatchString(c.Name) || !c.Purpose.Known() || c.Recipient == "" {
			wrong = append(wrong, fmt.Errorf("channel %q: it needs a name in lower case, a known purpose and a recipient", c.Name))
		}
	}
	return errors.Join(wrong...)
}

// predicate checks one expression.
func (n *night) predicate(ctx context.Context, where string) error {
	if strings.TrimSpace(where) == "" {
		return errors.New("it has no predicate")
	}
	query := "select (\n" + where + "\n) as hit from features"
	var tree string
	if err := n.db.one(ctx, "select json_serialize_sql("+quote(query)+")::varchar", &tree); err != nil {
		return firstLine(err)
	}
	if err := judgeTree(tree); err != nil {
		return err
	}
	var kind string
	if err := n.db.one(ctx, "select column_type from (describe "+query+")", &kind); err != nil {
		return firstLine(err)
	}
	if kind != "BOOLEAN" {
		return fmt.Errorf("it is not a yes or no, but of type %s", kind)
	}
	return nil
}

// firstLine drops the part of a DuckDB message that quotes our wrapping.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// parsed is what DuckDB says about a statement.
type parsed struct {
	Error      bool   `json:"error"`
	Message    string `json:"error_message"`
	Statements []struct {
		Node map[string]any `json:"node"`
	} `json:"statements"`
}

// judgeTree holds a predicate to one plain expression over features.
func judgeTree(tree string) error {
	var p parsed
	if err := json.Unmarshal([]byte(tree), &p); err != nil {
		return fmt.Errorf("reading the parsed predicate: %w", err)
	}
	if p.Error {
		return errors.New(p.Message)
	}
	single := errors.New("it must be a single expression")
	if len(p.Statements) != 1 {
		return single
	}
	node := p.Statements[0].Node
	chosen, _ := node["select_list"].([]any)
	from, _ := node["from_table"].(map[string]any)
	if node["type"] != "SELECT_NODE" || len(chosen) != 1 || from["table_name"] != "features" {
		return single
	}
	for _, clause := range []string{"where_clause", "having", "qualify", "sample"} {
		if node[clause] != nil {
			return single
		}
	}
	for _, clause := range []string{"group_expressions", "group_sets", "modifiers"} {
		if parts, _ := node[clause].([]any); len(parts) > 0 {
			return single
		}
	}
	return judgeExpression(chosen[0])
}

// Expressions and functions that a predicate may use.
var (
	expressions = []string{"COLUMN_REF", "CONSTANT", "COMPARISON", "CONJUNCTION", "OPERATOR", "BETWEEN", "CASE", "CAST", "FUNCTION"}
	functions   = []string{"+", "-", "*", "/", "//", "%", "abs", "least", "greatest", "coalesce", "nullif", "if", "sign"}
)

// judgeExpression walks an expression's tree.
func judgeExpression(tree any) error {
	switch t := tree.(type) {
	case []any:
		for _, part := range t {
			if err := judgeExpression(part); err != nil {
				return err
			}
		}
	case map[string]any:
		if class, ok := t["class"].(string); ok && !slices.Contains(expressions, class) {
			return fmt.Errorf("a %s has no place in a predicate", strings.ToLower(class))
		}
		if name, ok := t["function_name"].(string); ok && !slices.Contains(functions, name) {
			return fmt.Errorf("function %s has no place in a predicate", name)
		}
		for _, part := range t {
			if err := judgeExpression(part); err != nil {
				return err
			}
		}
	}
	return nil
}
