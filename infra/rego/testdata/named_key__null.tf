resource "aws_sns_topic" "a" {
  name              = "shop-alarm"
  kms_master_key_id = null
}
