package awslocal

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// DynamoDB Local keeps a database for each access key id, and each database does one
// transaction at a time. Callers are functions, so what is made under one prefix gets
// a database of its own here, whoever calls.

func (b *books) addHome(prefix string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.homes == nil {
		b.homes = map[string]string{}
	}
	if b.homes[prefix] == "" {
		b.homes[prefix] = fmt.Sprintf("home%d", len(b.homes)+1)
	}
}

var accessKey = regexp.MustCompile(`Credential=[^/]+/`)

// atHome signs a call as the owner of the database that it is about. Nobody checks
// the signature.
func (b *books) atHome(signed string, body []byte) string {
	name := tableOf(body)
	b.mu.Lock()
	defer b.mu.Unlock()
	home, longest := "shared", ""
	for prefix, h := range b.homes {
		if strings.HasPrefix(name, prefix+"-") && len(prefix) > len(longest) {
			home, longest = h, prefix
		}
	}
	return accessKey.ReplaceAllString(signed, "Credential="+home+"/")
}

// tableOf gives a table that a call is about.
func tableOf(body []byte) string {
	var in tableCall
	_ = json.Unmarshal(body, &in)
	for _, t := range in.TransactItems {
		for _, on := range t {
			return on.TableName
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in.RequestItems)) {
		return name
	}
	return in.TableName
}
