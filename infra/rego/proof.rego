# METADATA
# title: No plan takes proof away
package proof

import data.lib

_kept := {"aws_dynamodb_table", "aws_s3_bucket", "aws_kms_key"}

deny contains sprintf("prevent_destroy: a plan may destroy %s", [r.address]) if {
	some r in input.resources
	r.type in _kept
	lib.at(r.args, ["lifecycle", "prevent_destroy"]) != true
}

deny contains sprintf("table_protection: %s may be deleted by one call", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	lib.arg(r, "deletion_protection_enabled") != true
}

deny contains sprintf("bucket_force: %s may be deleted with all that it holds", [r.address]) if {
	some r in lib.of("aws_s3_bucket")
	lib.arg(r, "force_destroy") == true
}

deny contains sprintf("proof_lock: %s does not lock its objects", [b.address]) if {
	some b in lib.of("aws_s3_bucket")
	endswith(b.args.bucket, "-proof")
	not _locked(b)
}

_locked(b) if {
	lib.arg(b, "object_lock_enabled") == true
	some v in lib.of("aws_s3_bucket_versioning")
	v.args.bucket == b.args.bucket
	lib.at(v.args, ["versioning_configuration", "status"]) == "Enabled"
	some c in lib.of("aws_s3_bucket_object_lock_configuration")
	c.args.bucket == b.args.bucket
	lib.at(c.args, ["rule", "default_retention", "mode"]) in {"COMPLIANCE", "GOVERNANCE"}
	lib.at(c.args, ["rule", "default_retention", "days"]) > 0
}
