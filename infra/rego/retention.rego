# METADATA
# title: Nothing is kept for ever by accident, and nothing is lost by accident
package retention

import data.lib

deny contains sprintf("log_days: %s keeps logs for longer than 30 days, or for ever", [r.address]) if {
	some r in lib.of("aws_cloudwatch_log_group")
	not lib.arg(r, "retention_in_days") in numbers.range(1, 30)
}

deny contains sprintf("table_backup: %s cannot be had back for exactly 35 days", [r.address]) if {
	some r in lib.of("aws_dynamodb_table")
	not _backed(r)
}

_backed(r) if {
	lib.at(r.args, ["point_in_time_recovery", "enabled"]) == true
	lib.at(r.args, ["point_in_time_recovery", "recovery_period_in_days"]) == 35
}

# Buckets that hold what is about subjects: everything in them grows old.
deny contains sprintf("bucket_days: %s keeps what is about persons for ever", [b.address]) if {
	some b in lib.of("aws_s3_bucket")
	some name in {"events", "exports", "night"}
	endswith(b.args.bucket, sprintf("-%s", [name]))
	count([rule |
		some c in lib.of("aws_s3_bucket_lifecycle_configuration")
		c.args.bucket == b.args.bucket
		some rule in c.args.rule
		rule.status == "Enabled"
		lib.at(rule, ["expiration", "days"]) > 0
	]) == 0
}

# Versions outlive a deletion: an erasure must be physical wherever a subject may be.
deny contains sprintf("versions: %s keeps what was deleted", [r.address]) if {
	some r in input.resources
	r.type in {"aws_s3_bucket_versioning", "aws_s3_bucket_object_lock_configuration"}
	not endswith(r.args.bucket, "-proof")
}

deny contains sprintf("versions: %s keeps what was deleted", [r.address]) if {
	some r in lib.of("aws_s3_bucket")
	lib.arg(r, "object_lock_enabled") == true
	not endswith(r.args.bucket, "-proof")
}
