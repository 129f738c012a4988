package infra

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// account stands in for the account's number, which only AWS knows.
const account = "123456789012"

// resource notes a resource in the stack and gives what expressions may ask of it.
func (m *module) resource(p *part, address string, extra scope) (cty.Value, error) {
	args, err := m.body(p.block.Body, extra)
	if err != nil {
		return cty.NilVal, err
	}
	kind, name := p.block.Labels[0], p.block.Labels[1]
	if p.kind == "resource" {
		said, err := plain(cty.ObjectVal(args))
		if err != nil {
			return cty.NilVal, fmt.Errorf("%s%s: %w", m.address, address, err)
		}
		m.stack.Resources = append(m.stack.Resources, Resource{Address: m.address + address, Type: kind, Name: name, Args: said})
	}
	for k, v := range m.made(kind, name, args) {
		if _, said := args[k]; !said {
			args[k] = v
		}
	}
	return cty.ObjectVal(args), nil
}

// arns are what ARNs look like, by type of resource: the service, whether it says
// region and account, what comes before the name, and the argument that is the name.
var arns = map[string]struct{ service, at, before, name, after string }{
	"aws_dynamodb_table":                   {"dynamodb", "both", "table/", "name", ""},
	"aws_s3_bucket":                        {"s3", "", "", "bucket", ""},
	"aws_kinesis_firehose_delivery_stream": {"firehose", "both", "deliverystream/", "name", ""},
	"aws_kms_key":                          {"kms", "both", "key/", "", ""},
	"aws_secretsmanager_secret":            {"secretsmanager", "both", "secret:", "name", "-??????"},
	"aws_iam_role":                         {"iam", "account", "role/", "name", ""},
	"aws_cloudwatch_log_group":             {"logs", "both", "log-group:", "name", ""},
	"aws_lambda_function":                  {"lambda", "both", "function:", "function_name", ""},
	"aws_sns_topic":                        {"sns", "both", "", "name", ""},
	"aws_ecs_task_definition":              {"ecs", "both", "task-definition/", "family", ":1"},
	"aws_ecs_cluster":                      {"ecs", "both", "cluster/", "name", ""},
}

// made is what AWS adds to a resource. The id of a key is the resource's name, and a
// secret's ARN ends in six characters that nobody knows.
func (m *module) made(kind, name string, args map[string]cty.Value) map[string]cty.Value {
	id := name
	a, ok := arns[kind]
	if !ok {
		a.service, a.at, a.before = strings.TrimPrefix(kind, "aws_"), "both", ""
	}
	if v, ok := args[a.name]; ok && !v.IsNull() {
		id = v.AsString()
	}
	region, owner := m.region, account
	if a.at != "both" {
		region = ""
	}
	if a.at == "" {
		owner = ""
	}
	arn := fmt.Sprintf("arn:aws:%s:%s:%s:%s%s%s", a.service, region, owner, a.before, id, a.after)
	out := map[string]cty.Value{"arn": cty.StringVal(arn)}
	for _, k := range []string{"id", "name", "key_id", "bucket", "prefix_list_id", "random_password"} {
		out[k] = cty.StringVal(id)
	}
	for _, k := range []string{"invoke_arn", "execution_arn", "api_endpoint"} {
		out[k] = cty.StringVal(arn + "/" + k)
	}
	return out
}

// plain makes a Go value of what was worked out.
func plain(v cty.Value) (map[string]any, error) {
	b, err := json.Marshal(ctyjson.SimpleJSONValue{Value: v})
	if err != nil {
		return nil, fmt.Errorf("writing down what was read: %w", err)
	}
	out := map[string]any{}
	return out, json.Unmarshal(b, &out)
}
