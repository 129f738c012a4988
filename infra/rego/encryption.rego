# METADATA
# title: Everything is encrypted, by keys of ours, at rest and on its way
package encryption

import data.lib

deny contains sprintf("table_key: %s is not encrypted by a key of ours", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	not _sealed(r)
}

_sealed(r) if {
	lib.at(r.args, ["server_side_encryption", "enabled"]) == true
	lib.at(r.args, ["server_side_encryption", "kms_key_arn"]) != null
}

deny contains sprintf("identity_key: %s and its key do not belong together", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	key := lib.at(r.args, ["server_side_encryption", "kms_key_arn"])
	key != null
	endswith(r.args.name, "-identity") != endswith(key, "/identity")
}

deny contains sprintf("bucket_key: %s is not encrypted by a key of ours", [b.address]) if {
	some b in lib.of("aws_s3_bucket")
	count([c |
		some c in lib.of("aws_s3_bucket_server_side_encryption_configuration")
		c.args.bucket == b.args.bucket
		lib.at(c.args, ["rule", "bucket_key_enabled"]) == true
		lib.at(c.args, ["rule", "apply_server_side_encryption_by_default", "sse_algorithm"]) == "aws:kms"
		lib.at(c.args, ["rule", "apply_server_side_encryption_by_default", "kms_master_key_id"]) != null
	]) == 0
}

deny contains sprintf("bucket_tls: %s may be reached without TLS", [b.address]) if {
	some b in lib.of("aws_s3_bucket")
	count([s |
		some p in lib.of("aws_s3_bucket_policy")
		p.args.bucket == b.args.bucket
		some s in json.unmarshal(p.args.policy).Statement
		s.Effect == "Deny"
		s.Action == "s3:*"
		s.Condition.Bool["aws:SecureTransport"] == "false"
	]) == 0
}

deny contains sprintf("stream_key: %s is not encrypted by a key of ours", [r.address]) if {
	some r in lib.of("aws_kinesis_firehose_delivery_stream")
	not _streams(r)
}

_streams(r) if {
	lib.at(r.args, ["server_side_encryption", "enabled"]) == true
	lib.at(r.args, ["server_side_encryption", "key_type"]) == "CUSTOMER_MANAGED_CMK"
	lib.at(r.args, ["server_side_encryption", "key_arn"]) != null
	lib.at(r.args, ["extended_s3_configuration", "kms_key_arn"]) != null
}

# The argument that names the key, by type.
_keyed := {"aws_cloudwatch_log_group": "kms_key_id", "aws_sns_topic": "kms_master_key_id", "aws_secretsmanager_secret": "kms_key_id"}

deny contains sprintf("named_key: %s is not encrypted by a key of ours", [r.address]) if {
	some kind, name in _keyed
	some r in lib.of(kind)
	lib.arg(r, name) == null
}

deny contains sprintf("key_rotation: %s is never made anew", [r.address]) if {
	some r in lib.of("aws_kms_key")
	lib.arg(r, "enable_key_rotation") != true
}

# A secret's value goes past the state.
deny contains sprintf("secret_state: %s has its value in the state", [r.address]) if {
	some r in lib.of("aws_secretsmanager_secret_version")
	lib.arg(r, "secret_string_wo") == null
}

deny contains sprintf("secret_state: %s has its value in the state", [r.address]) if {
	some r in lib.of("aws_secretsmanager_secret_version")
	some name in {"secret_string", "secret_binary"}
	lib.arg(r, name) != null
}
