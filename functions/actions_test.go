//go:build awslocal

package functions_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/api"
)

// actionsFile says what each function was seen to use; the Terraform tests compare
// it with what each role grants.
const actionsFile = "../infra/terraform/actions.json"

// compareActions compares what the functions used with the file, or writes it if
// HANDSCHLAG_WRITE_ACTIONS is set.
func (s *shop) compareActions() {
	s.t.Helper()
	used := map[string][]string{}
	for _, f := range api.Functions() {
		used[f.Name] = []string{}
	}
	for _, u := range s.ground.Used() {
		if _, ours := used[u.Function]; ours && (strings.Contains(u.Resource, s.options.Prefix) || strings.Contains(u.Resource, s.options.Buckets)) {
			used[u.Function] = append(used[u.Function], u.Action+" "+s.plain(u.Resource))
		}
	}
	for name, all := range used {
		slices.Sort(all)
		used[name] = slices.Compact(all)
	}
	body, err := json.MarshalIndent(used, "", "  ")
	if err != nil {
		s.t.Fatal(err)
	}
	body = append(body, '\n')
	if os.Getenv("HANDSCHLAG_WRITE_ACTIONS") != "" {
		if err := os.WriteFile(actionsFile, body, 0o644); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	known, err := os.ReadFile(actionsFile)
	if err != nil || string(known) != string(body) {
		s.t.Errorf("%s is not what the functions use; HANDSCHLAG_WRITE_ACTIONS=1 writes it anew: %v\n%s", actionsFile, err, body)
	}
}

var arn = regexp.MustCompile(`^arn:aws:([a-z0-9]*):[a-z0-9-]*:[0-9]*:(.*)$`)

// plain is a resource without account and prefix: table/book, table/decision/index/by_time,
// stream/events, bucket/shop, bucket/shop/documents/*, key/main, secret/write-key.
func (s *shop) plain(resource string) string {
	m := arn.FindStringSubmatch(resource)
	if m == nil {
		return resource
	}
	name := strings.NewReplacer(s.options.Buckets+"-", "", s.options.Prefix+"-", "", s.options.Prefix+"/", "").Replace(m[2])
	switch m[1] {
	case "s3":
		return "bucket/" + name
	case "firehose":
		return "stream/" + strings.TrimPrefix(name, "deliverystream/")
	case "kms":
		return "key/" + strings.TrimPrefix(strings.TrimPrefix(name, "alias/"), "key/")
	case "secretsmanager":
		return "secret/" + strings.TrimSuffix(strings.TrimPrefix(name, "secret:"), "-ground")
	}
	return name
}
