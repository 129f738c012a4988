package infra_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/infra"
)

const (
	prefix  = "p-test"
	buckets = "b-test"
)

// seen is what functions and night were seen to use in the integration tests, by
// function: "dynamodb:GetItem table/book".
func seen(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, name := range []string{"actions.json", "actions-night.json"} {
		b, err := os.ReadFile("terraform/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &out); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != len(api.Functions())+1 {
		t.Fatalf("only %d roles were seen", len(out))
	}
	return out
}

// whole makes an ARN of a short name.
func whole(t *testing.T, short string) string {
	t.Helper()
	kind, name, _ := strings.Cut(short, "/")
	at := ":eu-central-1:123456789012:"
	switch kind {
	case "table":
		return "arn:aws:dynamodb" + at + "table/" + prefix + "-" + name
	case "stream":
		return "arn:aws:firehose" + at + "deliverystream/" + prefix + "-" + name
	case "key":
		return "arn:aws:kms" + at + "key/" + name
	case "secret":
		return "arn:aws:secretsmanager" + at + "secret:" + prefix + "/" + name + "-AbCdEf"
	case "bucket":
		return "arn:aws:s3:::" + buckets + "-" + name
	}
	t.Fatalf("what is %s?", short)
	return ""
}

// short undoes whole.
func short(arn string) string {
	name := arn[strings.LastIndex(arn, ":")+1:]
	switch {
	case strings.HasPrefix(arn, "arn:aws:s3:::"):
		name = "bucket/" + name
	case strings.Contains(arn, ":secretsmanager:"):
		name = "secret/" + strings.TrimSuffix(name, "-??????")
	}
	return strings.NewReplacer(prefix+"-", "", prefix+"/", "", buckets+"-", "", "deliverystream/", "stream/").Replace(name)
}

func TestWhatFunctionsUseIsGranted(t *testing.T) {
	granted, err := infra.Statements(prefix, buckets)
	if err != nil {
		t.Fatal(err)
	}
	for function, used := range seen(t) {
		for _, u := range used {
			action, name, _ := strings.Cut(u, " ")
			if !slices.ContainsFunc(granted[function], func(s infra.Statement) bool { return s.Covers(action, whole(t, name)) }) {
				t.Errorf("%s was seen to use %s, which its role does not grant", function, u)
			}
		}
	}
}

// What is granted and was not seen has a reason in unused.json: by reason the rights,
// as FUNCTION ACTION RESOURCE, where * is any function.
func TestWhatIsGrantedIsUsedOrHasAReason(t *testing.T) {
	granted, err := infra.Statements(prefix, buckets)
	if err != nil {
		t.Fatal(err)
	}
	reasons, there := reasons(t), map[string]bool{}
	for function, used := range seen(t) {
		for right := range rights(granted[function]) {
			action, arn, _ := strings.Cut(right, " ")
			there[function+" "+action+" "+short(arn)], there["* "+action+" "+short(arn)] = true, true
			one := infra.Statement{Actions: []string{action}, Resources: []string{arn}}
			if slices.ContainsFunc(used, func(u string) bool {
				a, name, _ := strings.Cut(u, " ")
				return one.Covers(a, whole(t, name))
			}) {
				continue
			}
			right = action + " " + short(arn)
			if !reasons[function+" "+right] && !reasons["* "+right] {
				t.Errorf("%s may %s, and was not seen to", function, right)
			}
		}
	}
	for r := range reasons {
		if !there[r] {
			t.Errorf("%s has a reason, and is not granted", r)
		}
	}
}

func reasons(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("terraform/unused.json")
	if err != nil {
		t.Fatal(err)
	}
	var by map[string][]string
	if err := json.Unmarshal(b, &by); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, list := range by {
		for _, r := range list {
			out[r] = true
		}
	}
	return out
}

// rights are all pairs of action and resource.
func rights(list []infra.Statement) map[string]bool {
	out := map[string]bool{}
	for _, s := range list {
		for _, a := range s.Actions {
			for _, r := range s.Resources {
				out[a+" "+r] = true
			}
		}
	}
	return out
}

func TestAStarIsOnlyWhatItStandsFor(t *testing.T) {
	s := infra.Statement{Actions: []string{"s3:GetObject"}, Resources: []string{"arn:aws:s3:::b/a/*", "arn:aws:secretsmanager:::k-??????"}}
	for arn, want := range map[string]bool{
		"arn:aws:s3:::b/a/x": true, "arn:aws:s3:::b/a/": true, "arn:aws:s3:::b/a": false, "arn:aws:s3:::b/b/x": false,
		"arn:aws:secretsmanager:::k-abcdef": true, "arn:aws:secretsmanager:::k-abcde": false,
	} {
		if s.Covers("s3:GetObject", arn) != want {
			t.Errorf("%s: want %v", arn, want)
		}
	}
	if s.Covers("s3:PutObject", "arn:aws:s3:::b/a/x") {
		t.Error("another action is covered")
	}
}

// The network of the night has no other way out than its end points.
func TestTheNightsNetworkReachesWhatTheNightUses(t *testing.T) {
	var ways []string
	for _, r := range stacks(t)["prod"].Of("aws_vpc_endpoint") {
		ways = append(ways, strings.TrimPrefix(text(r.Args["service_name"]), "com.amazonaws.eu-central-1."))
	}
	for _, u := range seen(t)["night"] {
		service, _, _ := strings.Cut(u, ":")
		if service == "firehose" {
			service = "kinesis-firehose"
		}
		if !slices.Contains(ways, service) {
			t.Errorf("the night was seen to use %s, and its network leads only to %v", u, ways)
		}
	}
}
