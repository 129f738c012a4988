package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/batch/segment/predicate"
	"github.com/handschlag/handschlag/config"
)

// named is what a segment or channel may be called: the name becomes a file's.
var named = regexp.MustCompile(`^[a-z][a-z0-9_]{0,62}$`)

// tombstones is the name of the files that list rows to delete; no segment may have it.
const tombstones = "tombstones"

// Validate says what is wrong with the segments and channels of a configuration, all
// of it, as config.Errors with line and column, and what is only odd: a condition that
// nobody or everybody meets. A predicate must be one boolean expression over the
// columns of features: no subquery, no function outside a short list, so that it can
// read nothing else and answers alike twice. What a column tells must be allowed for
// the purposes that the segment leaves for.
func Validate(ctx context.Context, c *config.Config) (odd config.Errors, err error) {
	spill, err := os.MkdirTemp("", "handschlag-segments-")
	if err != nil {
		return nil, fmt.Errorf("checking segments: %w", err)
	}
	defer func() { _ = os.RemoveAll(spill) }()
	w, err := openWarehouse(ctx, spill, 256, 1)
	if err != nil {
		return nil, err
	}
	defer w.close()
	columns := make([]string, len(Columns))
	for i, col := range Columns {
		columns[i] = col.Name + " bigint"
	}
	if err := w.exec(ctx, "create table features (person uuid, "+strings.Join(columns, ", ")+")"); err != nil {
		return nil, fmt.Errorf("checking segments: %w", err)
	}
	return (&night{in: Inputs{Config: c}, db: w}).validate(ctx)
}

// validate needs the table features, empty or not.
func (n *night) validate(ctx context.Context) (odd config.Errors, err error) {
	var wrong config.Errors
	seen := map[string]bool{}
	for i, s := range n.in.Config.Segments {
		path := fmt.Sprintf("segments[%d]", i)
		if text := nameProblem(s.Name, seen); text != "" {
			wrong = append(wrong, config.Problem{Line: s.Line, Path: path + ".name", Text: text})
		}
		bad, strange, err := n.predicate(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("checking segment %q: %w", s.Name, err)
		}
		wrong, odd = append(wrong, placed(s, path, bad)...), append(odd, placed(s, path, strange)...)
	}
	for i, c := range n.in.Config.Exports.Channels {
		if !named.MatchString(c.Name) || !c.Purpose.Known() || c.Recipient == "" {
			text := fmt.Sprintf("channel %q needs a name in lower case, a known purpose and a recipient", c.Name)
			wrong = append(wrong, config.Problem{Path: fmt.Sprintf("exports.channels[%d]", i), Text: text})
		}
	}
	if len(wrong) > 0 {
		wrong.Sort()
		return odd, wrong
	}
	return odd, nil
}

func nameProblem(name string, seen map[string]bool) string {
	defer func() { seen[name] = true }()
	switch {
	case !named.MatchString(name) || name == tombstones || name == revocations:
		return fmt.Sprintf("%q must be lower-case letters, digits and _, and not \"tombstones\" or \"revocations\"", name)
	case seen[name]:
		return fmt.Sprintf("the name %q is used twice", name)
	}
	return ""
}

// placed names the segment, and finds each problem's place in the file.
func placed(s config.Segment, path string, found []predicate.Problem) (out config.Errors) {
	for _, p := range found {
		line, column := s.Place(p.At)
		out = append(out, config.Problem{Line: line, Column: column, Path: path + ".where", Text: fmt.Sprintf("segment %q: %s", s.Name, p.Text)})
	}
	return out
}

// predicate checks one condition: how it is written, what it reads, what it comes to.
func (n *night) predicate(ctx context.Context, s config.Segment) (wrong, odd []predicate.Problem, err error) {
	query := predicate.Query(s.Where)
	var tree string
	if err := n.db.one(ctx, "select json_serialize_sql("+quote(query)+")::varchar", &tree); err != nil {
		return []predicate.Problem{{Text: firstLine(err).Error()}}, nil, ctx.Err()
	}
	c, wrong := predicate.Parse(s.Where, tree)
	reads := c.Reads()
	wrong = append(wrong, n.mayRead(s, reads)...)
	if len(wrong) > 0 {
		return wrong, nil, nil
	}
	var kind string
	if err := n.db.one(ctx, "select column_type from (describe "+query+")", &kind); err != nil {
		return []predicate.Problem{{Text: firstLine(err).Error()}}, nil, ctx.Err()
	}
	if kind != "BOOLEAN" {
		return []predicate.Problem{{Text: fmt.Sprintf("it is not a yes or no, but of type %s; compare it, as in orders_90d >= 3", kind)}}, nil, nil
	}
	if text := strange[c.Outcome(domain)]; text != "" {
		odd = []predicate.Problem{{Text: text}}
	}
	return nil, odd, nil
}

// strange are the outcomes that nobody means to write.
var strange = map[predicate.Outcome]string{
	predicate.Never:  "nobody can be in it: the condition contradicts itself, or what the features can be",
	predicate.Always: "everybody is in it: the condition holds whatever the features are",
	predicate.Null:   "nobody can be in it: the condition is null for everybody; ask whether something is null with is null",
}

// firstLine drops the part of a DuckDB message that quotes our wrapping.
func firstLine(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}

// mayRead judges every mention of a column, each column once.
func (n *night) mayRead(s config.Segment, reads []predicate.Reference) (wrong []predicate.Problem) {
	told := map[string]bool{}
	for _, r := range reads {
		if told[r.Column] {
			continue
		}
		told[r.Column] = true
		c, known := columnNamed(r.Column)
		if !known {
			wrong = append(wrong, predicate.Problem{At: r.At, Text: unknown(r.Column)})
			continue
		}
		for _, text := range []string{n.sensitive(s, c), n.forbidden(s, c)} {
			if text != "" {
				wrong = append(wrong, predicate.Problem{At: r.At, Text: text})
			}
		}
	}
	return wrong
}

// unknown says which columns there are instead.
func unknown(name string) string {
	text := fmt.Sprintf("%s is not a feature (docs/columns.md)", name)
	if name == "person" {
		return text + "; a segment is made of what persons do, not of who they are"
	}
	names := make([]string, len(Columns))
	for i, c := range Columns {
		names[i] = c.Name
	}
	if slices.Contains(names, name+"_28d") {
		return fmt.Sprintf("%s; did you mean %s_28d or %s_90d?", text, name, name)
	}
	if near := config.Nearest(name, names); near != "" {
		return text + "; did you mean " + near + "?"
	}
	return text
}
