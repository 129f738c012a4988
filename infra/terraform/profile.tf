# What is known of a subject, a section per purpose.

module "profile" {
  source = "./modules/table"
  name   = "${var.prefix}-profile"
  hash   = "s"
  kms    = aws_kms_key.main.arn
  alarm  = aws_sns_topic.alarm.arn
}
