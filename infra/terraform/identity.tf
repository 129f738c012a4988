# Who is who: keyed hashes of identifiers to pseudonyms and back, and suppressions.
# The one table under the identity key.

module "identity" {
  source = "./modules/table"
  name   = "${var.prefix}-identity"
  hash   = "k"
  kms    = aws_kms_key.identity.arn
  alarm  = aws_sns_topic.alarm.arn
}
