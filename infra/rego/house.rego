# METADATA
# title: How our own files are written
package house

deny contains sprintf("variable_type: %s has no type", [v.address]) if {
	some v in input.variables
	not v.typed
}

deny contains sprintf("variable_description: %s says nothing", [v.address]) if {
	some v in input.variables
	v.description == ""
}

# Rules find buckets and tables by name.
deny contains sprintf("named: %s has no name of ours", [r.address]) if {
	some kind, name in {"aws_s3_bucket": "bucket", "aws_dynamodb_table": "name", "aws_iam_role": "name", "aws_iam_role_policy": "role"}
	some r in input.resources
	r.type == kind
	object.get(r.args, name, null) == null
}
