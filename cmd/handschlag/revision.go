package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/policy"
)

// inForce asks for the policy in force.
func (r *reached) inForce(ctx context.Context) (p policyAnswer, err error) {
	err = r.call(ctx, "GET", "/admin/policy", nil, &p)
	return p, err
}

// kept fetches a document by the beginning of its digest.
func (r *reached) kept(ctx context.Context, digest string) (d keptDocument, err error) {
	err = r.call(ctx, "GET", "/admin/documents/"+url.PathEscape(digest), nil, &d)
	return d, err
}

// rulesOf loads the rules that decisions name, as they judged.
func (r *reached) rulesOf(ctx context.Context, d decide.Digests, entries ...policy.Entry) (*policy.Rules, error) {
	doc, err := r.kept(ctx, d.Policy)
	if err != nil {
		return nil, err
	}
	can, err := r.kept(ctx, d.Capabilities)
	if err != nil {
		return nil, err
	}
	return policy.LoadDocument(ctx, doc.Body, can.Body, entries...)
}

// revision loads another policy: a folder of rules, or one kept with decisions, by
// the beginning of its digest.
func (r *reached) revision(ctx context.Context, name string, now policyAnswer, entries ...policy.Entry) (*policy.Rules, error) {
	if isFolder(name) {
		s := now.Settings
		s.ConfigDigest = now.Digests.Config
		rules, err := policy.LoadFolder(ctx, os.DirFS(name), s, entries...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return rules, nil
	}
	rules, err := r.rulesOf(ctx, decide.Digests{Policy: name, Capabilities: now.Digests.Capabilities}, entries...)
	if err != nil {
		return nil, fmt.Errorf("%s is neither a folder of rules nor a policy kept with decisions (handschlag audit revisions lists them): %w", name, err)
	}
	return rules, nil
}

func isFolder(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.IsDir()
}

type auditRevisionsCmd struct {
	place
	Lang string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON bool   `help:"Print JSON."`
}

// revisionUse is a policy with the decisions that name it.
type revisionUse struct {
	Policy    string    `json:"policy"`
	Decisions int64     `json:"decisions"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	InForce   bool      `json:"in_force"`
}

// Run lists the policies that decisions name, oldest first, and the one in force.
func (c auditRevisionsCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		now, err := r.inForce(ctx)
		if err != nil {
			return err
		}
		uses := map[string]*revisionUse{now.Digests.Policy: {Policy: now.Digests.Policy, InForce: true}}
		err = r.lines(ctx, "/admin/records", func(line []byte) error {
			var d struct {
				Time    time.Time
				Digests struct{ Policy string }
			}
			if err := json.Unmarshal(line, &d); err != nil {
				return fmt.Errorf("reading a decision: %w", err)
			}
			u := at(uses, d.Digests.Policy)
			u.Policy = d.Digests.Policy
			if u.Decisions == 0 || d.Time.Before(u.First) {
				u.First = d.Time
			}
			if u.Decisions++; d.Time.After(u.Last) {
				u.Last = d.Time
			}
			return nil
		})
		if err != nil {
			return err
		}
		all := slices.SortedFunc(maps.Values(uses), func(a, b *revisionUse) int { return cmp.Or(a.Last.Compare(b.Last), cmp.Compare(a.Policy, b.Policy)) })
		if c.JSON {
			return printJSON(s, all)
		}
		for _, u := range all {
			s.printf("%s\n", u.in(c.Lang))
		}
		return nil
	})
}

// in is a line of the list in a language.
func (u *revisionUse) in(lang string) string {
	line := fmt.Sprintf(pick(lang, "%s %d decisions", "%s %d Entscheidungen"), u.Policy, u.Decisions)
	if u.Decisions > 0 {
		line += fmt.Sprintf(pick(lang, " from %s to %s", " von %s bis %s"), u.First.Format(time.RFC3339), u.Last.Format(time.RFC3339))
	}
	if u.InForce {
		line += pick(lang, ", in force", ", in Kraft")
	}
	return line
}
