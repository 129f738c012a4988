package infra_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/infra"
)

// Terraform files, wherever they lie.
func terraformFiles(t *testing.T) (out []string) {
	t.Helper()
	for _, pattern := range []string{"terraform/*.tf", "terraform/modules/*/*.tf", "terraform/leave/*.tf", "terraform/leave/*/*/*.tf", "terraform/env/*.tfvars",
		"terraform/tests/*.tftest.hcl", "ground/override/*.tf", "ground/override/*/*/*.tf", "rego/testdata/*.tf"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	if len(out) < 60 {
		t.Fatalf("only %d files were found", len(out))
	}
	return out
}

func TestTerraformIsFormatted(t *testing.T) {
	for _, name := range terraformFiles(t) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if string(hclwrite.Format(b)) != string(b) {
			t.Errorf("%s is not formatted as terraform fmt does it", name)
		}
	}
	terraform, err := exec.LookPath("terraform")
	if err != nil {
		t.Log("terraform is not installed: terraform fmt -check itself was not run")
		return
	}
	cmd := exec.Command(terraform, "fmt", "-check", "-recursive", "terraform", "ground", "rego")
	cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+os.DevNull, "CHECKPOINT_DISABLE=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("terraform fmt -check: %v\n%s", err, out)
	}
}

// at follows names through the one block of each name.
func at(args map[string]any, path ...string) any {
	for _, name := range path[:len(path)-1] {
		list, _ := args[name].([]any)
		if len(list) != 1 {
			return nil
		}
		args, _ = list[0].(map[string]any)
	}
	return args[path[len(path)-1]]
}

func TestTablesAreThoseOfTheHost(t *testing.T) {
	s := stacks(t)["dev"]
	made := map[string]aws.Table{}
	for _, r := range s.Of("aws_dynamodb_table") {
		name := strings.TrimPrefix(r.Args["name"].(string), "handschlag-dev-")
		key, _ := at(r.Args, "server_side_encryption", "kms_key_arn").(string)
		made[name] = aws.Table{Name: name, Hash: text(r.Args["hash_key"]), Range: text(r.Args["range_key"]), TTL: text(at(r.Args, "ttl", "attribute_name")),
			KMS: key[strings.LastIndex(key, "/")+1:], Indexes: indexes(r)}
	}
	for _, want := range aws.Tables {
		got, ok := made[want.Name]
		delete(made, want.Name)
		slices.SortFunc(want.Indexes, func(a, b aws.Index) int { return strings.Compare(a.Name, b.Name) })
		want.Person = false
		if !ok || got.Hash != want.Hash || got.Range != want.Range || got.TTL != want.TTL || got.KMS != want.KMS || !slices.Equal(got.Indexes, want.Indexes) {
			t.Errorf("table %s: schema.go wants %+v, Terraform makes %+v", want.Name, want, got)
		}
	}
	for name := range made {
		t.Errorf("table %s is not in schema.go", name)
	}
}

func indexes(r infra.Resource) (out []aws.Index) {
	list, _ := r.Args["global_secondary_index"].([]any)
	for _, i := range list {
		x := i.(map[string]any)
		index := aws.Index{Name: text(x["name"])}
		for _, k := range x["key_schema"].([]any) {
			if key := k.(map[string]any); key["key_type"] == "HASH" {
				index.Hash = text(key["attribute_name"])
			} else {
				index.Range = text(key["attribute_name"])
			}
		}
		out = append(out, index)
	}
	return out
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// names gives an argument of all resources of a type, without the prefix.
func names(s *infra.Stack, kind, arg, prefix string) []string {
	var out []string
	for _, r := range s.Of(kind) {
		out = append(out, strings.TrimPrefix(text(r.Args[arg]), prefix))
	}
	slices.Sort(out)
	return out
}

func TestBucketsStreamsAndKeysAreThoseOfTheHost(t *testing.T) {
	s := stacks(t)["dev"]
	var want, locked, got []string
	for _, b := range aws.Buckets {
		want = append(want, b.Name)
		if b.Locked {
			locked = append(locked, b.Name)
		}
	}
	for _, r := range s.Of("aws_s3_bucket") {
		if r.Args["object_lock_enabled"] == true {
			got = append(got, strings.TrimPrefix(text(r.Args["bucket"]), "handschlag-dev-123456789012-"))
		}
	}
	same(t, "buckets", names(s, "aws_s3_bucket", "bucket", "handschlag-dev-123456789012-"), want)
	same(t, "locked buckets", got, locked)
	same(t, "streams", names(s, "aws_kinesis_firehose_delivery_stream", "name", "handschlag-dev-"), aws.Streams)
	same(t, "aliases", names(s, "aws_kms_alias", "name", "alias/handschlag-dev-"), aws.Keys)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	want = slices.Sorted(slices.Values(want))
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("%s: Terraform makes %v, want %v", what, got, want)
	}
}

func TestStreamsDeliverWhereANightLooks(t *testing.T) {
	for _, r := range stacks(t)["prod"].Of("aws_kinesis_firehose_delivery_stream") {
		kind := strings.TrimPrefix(text(r.Args["name"]), "handschlag-prod-")
		if got, want := at(r.Args, "extended_s3_configuration", "prefix"), "raw/"+kind+"/!{timestamp:yyyy/MM/dd/HH}/"; got != want {
			t.Errorf("%s: prefix %v, want %s", r.Address, got, want)
		}
		if got := at(r.Args, "extended_s3_configuration", "bucket_arn"); got != "arn:aws:s3:::handschlag-prod-123456789012-events" {
			t.Errorf("%s delivers to %v", r.Address, got)
		}
		if got := at(r.Args, "extended_s3_configuration", "compression_format"); got != "GZIP" {
			t.Errorf("%s: %v", r.Address, got)
		}
	}
}

// The retention table of the configuration is the lifecycle of the buckets.
func TestObjectsAreKeptAsLongAsTheConfigurationSays(t *testing.T) {
	cfg, err := config.Parse(config.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	kept := cfg.Retention
	want := map[string]float64{
		"events raw/events/": float64(kept.EventDays), "events days/": float64(kept.EventDays), "events failed/events/": float64(kept.EventDays),
		"events raw/decisions/": float64(kept.DecisionDays), "events failed/decisions/": float64(kept.DecisionDays),
		"events decisions/": float64(kept.DecisionDays), "exports 20": float64(kept.SegmentDays), "night publish/": float64(kept.SegmentDays),
		"night journal/": 35, // law.md 2.6: backups
	}
	for env, s := range stacks(t) {
		if got := expiries(s); !maps.Equal(got, want) {
			t.Errorf("%s: objects expire after %v days, want %v", env, got, want)
		}
	}
}

// expiries are the days after which objects go, by bucket and prefix.
func expiries(s *infra.Stack) map[string]float64 {
	out := map[string]float64{}
	for _, r := range s.Of("aws_s3_bucket_lifecycle_configuration") {
		bucket := text(r.Args["bucket"])
		for _, rule := range r.Args["rule"].([]any) {
			args := rule.(map[string]any)
			if days, ok := at(args, "expiration", "days").(float64); ok {
				out[bucket[strings.LastIndex(bucket, "-")+1:]+" "+text(at(args, "filter", "prefix"))] = days
			}
		}
	}
	return out
}

func TestFunctionsAreThoseOfTheAPI(t *testing.T) {
	s := stacks(t)["prod"]
	made := map[string]infra.Resource{}
	for _, r := range s.Of("aws_lambda_function") {
		made[strings.TrimPrefix(text(r.Args["function_name"]), "handschlag-prod-")] = r
	}
	for _, f := range api.Functions() {
		r, ok := made[f.Name]
		delete(made, f.Name)
		if !ok || r.Args["memory_size"] != float64(f.Memory) || r.Args["timeout"] != float64(f.Seconds) {
			t.Errorf("function %s: want %d MB and %d s, got %v", f.Name, f.Memory, f.Seconds, r.Args)
		}
		if r.Args["handler"] != "bootstrap" || r.Args["runtime"] != "provided.al2023" || r.Args["architectures"].([]any)[0] != "arm64" {
			t.Errorf("function %s: %v", f.Name, r.Args)
		}
		var routes []string
		for _, rt := range s.Of("aws_apigatewayv2_route") {
			if strings.HasPrefix(rt.Address, "module."+f.Name+".") {
				routes = append(routes, text(rt.Args["route_key"]))
			}
		}
		same(t, "routes of "+f.Name, routes, f.Routes)
	}
	for name := range made {
		t.Errorf("function %s has no routes", name)
	}
}
