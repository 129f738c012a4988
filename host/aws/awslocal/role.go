package awslocal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Statement allows every one of its actions on every one of its resources if its
// conditions hold, as a statement of an IAM policy does. A star counts at the end only.
// A KMS key is named by its alias (KeyARN).
//
// Conditions are by operator and key. The ground knows StringEquals and
// ForAllValues:StringEquals; of the keys, dynamodb:LeadingKeys and
// kms:EncryptionContext. What it does not know does not hold.
type Statement struct {
	Actions, Resources []string
	Condition          map[string]map[string][]string
}

// Allow holds a function to a role from now on: what no statement allows is denied.
func (g *Ground) Allow(function string, statements []Statement) {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	p := g.books.page(function)
	p.role, p.held = statements, true
}

// Refuse answers every call of a function with one kind of failure: "denied",
// "absent", "expired" or "skewed"; "" ends it.
func (g *Ground) Refuse(function, kind string) {
	g.books.mu.Lock()
	defer g.books.mu.Unlock()
	g.books.page(function).refused = kind
}

// allows says whether some statement covers a use.
func allows(role []Statement, n need) bool {
	for _, s := range role {
		if covers(s.Actions, n.Action) && covers(s.Resources, n.Resource) && s.holds(n.says) {
			return true
		}
	}
	return false
}

// holds says whether every condition does, as IAM judges it: a key that the call does
// not have fails StringEquals, and is no reason for ForAllValues.
func (s Statement) holds(says map[string][]string) bool {
	for op, keys := range s.Condition {
		for key, want := range keys {
			said, there := says[key]
			is := func(v string) bool { return slices.Contains(want, v) }
			switch {
			case op == "StringEquals" && there && slices.ContainsFunc(said, is):
			case op == "ForAllValues:StringEquals" && key == leadingKeys && !slices.ContainsFunc(said, func(v string) bool { return !is(v) }):
			default:
				return false
			}
		}
	}
	return true
}

func covers(patterns []string, name string) bool {
	for _, p := range patterns {
		if p == name {
			return true
		}
		if head, star := strings.CutSuffix(p, "*"); star && strings.HasPrefix(name, head) {
			return true
		}
	}
	return false
}

// refusal says why a call may not be, if so.
func (g *Ground) refusal(c *call) (problem, bool) {
	g.books.mu.Lock()
	p := g.books.page(c.function)
	role, held, refused := p.role, p.held, p.refused
	g.books.mu.Unlock()
	if refused != "" {
		return refusalOf(c, refused), true
	}
	if !held {
		return problem{}, false
	}
	for _, n := range c.needs {
		if !allows(role, n) {
			return denied(c, n.Use), true
		}
	}
	return g.hidden(c, role)
}

// hidden is S3's answer about a missing object to whoever may not list the bucket.
func (g *Ground) hidden(c *call, role []Statement) (problem, bool) {
	if c.op != "GetObject" || g.store.has(c.bucket, c.key) {
		return problem{}, false
	}
	list := Use{"s3:ListBucket", "arn:aws:s3:::" + c.bucket}
	return denied(c, list), !allows(role, need{Use: list})
}

func denied(c *call, u Use) problem {
	p := problem{http.StatusBadRequest, "AccessDeniedException",
		fmt.Sprintf("User: arn:aws:sts::%s:assumed-role/%s/ground is not authorized to perform: %s on resource: %s", AccountID, c.function, u.Action, u.Resource)}
	if c.service == "s3" {
		p.status, p.code = http.StatusForbidden, "AccessDenied"
	}
	return p
}

// refusalOf words a kind of failure as the service does.
func refusalOf(c *call, kind string) problem {
	s3 := c.service == "s3"
	switch kind {
	case "denied":
		return denied(c, c.needs[0].Use)
	case "absent":
		if s3 {
			return problem{http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist"}
		}
		if c.service == "kms" {
			return problem{http.StatusBadRequest, "NotFoundException", "Alias is not found."}
		}
		return problem{http.StatusBadRequest, "ResourceNotFoundException", "Requested resource not found"}
	case "expired":
		if s3 {
			return problem{http.StatusBadRequest, "ExpiredToken", "The provided token has expired."}
		}
		return problem{http.StatusBadRequest, "ExpiredTokenException", "The security token included in the request is expired"}
	case "skewed":
		if s3 {
			return problem{http.StatusForbidden, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."}
		}
		return problem{http.StatusBadRequest, "InvalidSignatureException", "Signature expired: 20081001T120000Z is now earlier than 20081001T130000Z"}
	}
	panic("no such refusal: " + kind)
}
