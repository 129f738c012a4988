resource "aws_s3_bucket_replication_configuration" "a" {
  bucket = "shop-events"
  role   = "a"
}
