package main

import (
	"context"
	"fmt"
	"net/url"
	"os"

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
	if info, err := os.Stat(name); err == nil && info.IsDir() {
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
