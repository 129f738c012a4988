package infra

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// Statement is a right that a role has: each action on each resource, if every
// condition holds. Only rights that allow something are here.
type Statement struct {
	Sid       string
	Actions   []string
	Resources []string // ARNs; * and ? as in IAM
	Condition map[string]map[string][]string
}

// Covers reports whether the statement is about an action on a resource, whatever
// its conditions say.
func (s Statement) Covers(action, arn string) bool {
	return matches(s.Actions, action) && matches(s.Resources, arn)
}

func matches(patterns []string, name string) bool {
	for _, p := range patterns {
		if like(p, name) {
			return true
		}
	}
	return false
}

// like matches as IAM does: * is anything, ? one character.
func like(pattern, name string) bool {
	if pattern == "" || name == "" {
		return strings.Trim(pattern, "*") == name
	}
	if pattern[0] == '*' {
		return like(pattern[1:], name) || like(pattern, name[1:])
	}
	return (pattern[0] == '?' || pattern[0] == name[0]) && like(pattern[1:], name[1:])
}

// Statements gives the rights of every role of the stack by its name without the
// prefix: those of the functions (ingest, consent, …), night, policy, stream-events and
// stream-decisions. ARNs are in eu-central-1 and account 123456789012; the id of a
// KMS key is main or identity. Rights to write a log are left out.
func Statements(prefix, bucketPrefix string) (map[string][]Statement, error) {
	s, err := Read(Files, "terraform", map[string]cty.Value{
		"prefix": cty.StringVal(prefix), "bucket_prefix": cty.StringVal(bucketPrefix), "oidc_issuer": cty.StringVal("https://id.example"),
		"night_principal":  cty.StringVal("arn:aws:iam::" + account + ":role/night-machine"),
		"policy_principal": cty.StringVal("arn:aws:iam::" + account + ":role/officer"),
	})
	if err != nil {
		return nil, err
	}
	return s.Rights(prefix)
}

// Rights gives the statements of each role by its name after the prefix and a dash.
func (s *Stack) Rights(prefix string) (map[string][]Statement, error) {
	out := map[string][]Statement{}
	for _, r := range s.Of("aws_iam_role_policy") {
		role, _ := r.Args["role"].(string)
		list, err := allowed(fmt.Sprint(r.Args["policy"]))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.Address, err)
		}
		out[strings.TrimPrefix(role, prefix+"-")] = list
	}
	return out, nil
}

// allowed reads a policy as IAM does: one of something may stand without a list.
func allowed(policy string) ([]Statement, error) {
	var p struct {
		Statement []struct {
			Sid, Effect      string
			Action, Resource one
			Condition        map[string]map[string]one
		}
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return nil, fmt.Errorf("reading a policy: %w", err)
	}
	var out []Statement
	for _, st := range p.Statement {
		if st.Effect != "Allow" || st.Sid == "Log" {
			continue
		}
		s := Statement{Sid: st.Sid, Actions: st.Action, Resources: st.Resource, Condition: map[string]map[string][]string{}}
		for op, keys := range st.Condition {
			s.Condition[op] = map[string][]string{}
			for k, v := range keys {
				s.Condition[op][k] = v
			}
		}
		out = append(out, s)
	}
	return out, nil
}

// one is a list, or the one entry of a list.
type one []string

// UnmarshalJSON reads both.
func (o *one) UnmarshalJSON(b []byte) error {
	if b[0] == '[' {
		return json.Unmarshal(b, (*[]string)(o))
	}
	var s string
	err := json.Unmarshal(b, &s)
	*o = one{s}
	return err
}
