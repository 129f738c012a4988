package sam_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"

	"github.com/handschlag/handschlag/infra"
)

// ofTerraform reads the functions that Terraform makes of a shop's settings.
func ofTerraform(t *testing.T, s settings) map[string]function {
	t.Helper()
	vars, err := infra.Values(infra.Files, "terraform/env/dev.tfvars")
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range map[string]string{"prefix": s.prefix, "bucket_prefix": s.bucketPrefix, "config": s.config, "policy_key": s.policyKey,
		"identity_public_key": s.identityKey, "oidc_issuer": s.issuer} {
		if v != "" {
			vars[k] = cty.StringVal(v)
		}
	}
	if s.config != "" { // there, a path on the machine that applies
		vars["config"] = cty.StringVal("../../config/default.yaml")
	}
	stack, err := infra.Read(infra.Files, "terraform", vars)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]function{}
	for _, r := range stack.Of("aws_lambda_function") {
		out[strings.TrimPrefix(fmt.Sprint(r.Args["function_name"]), s.prefix+"-")] = planned(stack, r)
	}
	return out
}

// planned reads one function, and what leads to it: its module's routes, and schedules.
func planned(stack *infra.Stack, lambda infra.Resource) function {
	f := function{
		Handler: fmt.Sprint(lambda.Args["handler"]), Runtime: fmt.Sprint(lambda.Args["runtime"]),
		MemoryMB: number(lambda.Args["memory_size"]), Seconds: number(lambda.Args["timeout"]), Environment: map[string]string{},
	}
	for _, a := range lambda.Args["architectures"].([]any) {
		f.Architectures = append(f.Architectures, fmt.Sprint(a))
	}
	for _, e := range lambda.Args["environment"].([]any) {
		for k, v := range e.(map[string]any)["variables"].(map[string]any) {
			f.Environment[k] = fmt.Sprint(v)
		}
	}
	module, _, _ := strings.Cut(lambda.Address, ".aws_lambda_function.")
	for r := range of(stack, module, "aws_apigatewayv2_route") {
		f.Routes = append(f.Routes, fmt.Sprint(r["route_key"]))
	}
	for i := range of(stack, module, "aws_apigatewayv2_integration") {
		f.Payload = fmt.Sprint(i["payload_format_version"])
	}
	rules := map[any]any{}
	for r := range of(stack, "", "aws_cloudwatch_event_rule") {
		rules[r["name"]] = r["schedule_expression"]
	}
	for target := range of(stack, "", "aws_cloudwatch_event_target") {
		if strings.HasSuffix(fmt.Sprint(target["arn"]), ":function:"+fmt.Sprint(lambda.Args["function_name"])) {
			f.Schedules = append(f.Schedules, fmt.Sprint(rules[target["rule"]], " ", target["input"]))
		}
	}
	return f
}

// of gives the arguments of a module's resources of a type; "" is the root.
func of(stack *infra.Stack, module, kind string) func(func(map[string]any) bool) {
	prefix := strings.TrimPrefix(module+"."+kind+".", ".")
	return func(yield func(map[string]any) bool) {
		for _, r := range stack.Of(kind) {
			if strings.HasPrefix(r.Address, prefix) && !yield(maps.Clone(r.Args)) {
				return
			}
		}
	}
}
