resource "aws_kinesis_firehose_delivery_stream" "a" {
  name        = "shop-events"
  destination = "extended_s3"

  server_side_encryption {
    enabled = true
  }
}
