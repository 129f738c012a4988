//go:build awslocal

package functions_test

import (
	"strings"

	"github.com/handschlag/handschlag/host/aws/awslocal"
	"github.com/handschlag/handschlag/infra"
)

// hold gives every function, the night, and whoever installs policies the role that
// Terraform makes for it, and no more.
func (s *shop) hold() {
	s.t.Helper()
	roles, err := infra.Statements(s.options.Prefix, s.options.Buckets)
	if err != nil {
		s.t.Fatal(err)
	}
	name := strings.NewReplacer("123456789012", awslocal.AccountID, ":key/", ":alias/"+s.options.Prefix+"-", "-??????", "-*")
	for function, rights := range roles {
		var role []awslocal.Statement
		for _, r := range rights {
			resources := make([]string, len(r.Resources))
			for i, arn := range r.Resources {
				resources[i] = name.Replace(arn)
			}
			role = append(role, awslocal.Statement{Actions: r.Actions, Resources: resources, Condition: r.Condition})
		}
		s.ground.Allow(function, role)
	}
}
