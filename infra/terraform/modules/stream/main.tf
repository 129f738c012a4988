# A delivery stream: rows that the function was told are durable, in the bucket a
# minute later as gzipped NDJSON, by the hour of their arrival.

resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = "${var.shop.prefix}-${var.name}"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = var.shop.kms
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.this.arn
    bucket_arn          = var.bucket
    kms_key_arn         = var.shop.kms
    buffering_interval  = 60 # seconds
    buffering_size      = 64 # MB
    compression_format  = "GZIP"
    prefix              = "raw/${var.name}/!{timestamp:yyyy/MM/dd/HH}/"
    error_output_prefix = "failed/${var.name}/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.this.name
      log_stream_name = aws_cloudwatch_log_stream.this.name
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/kinesisfirehose/${var.shop.prefix}-${var.name}"
  retention_in_days = var.shop.log_days
  kms_key_id        = var.shop.kms
}

resource "aws_cloudwatch_log_stream" "this" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.this.name
}

resource "aws_iam_role" "this" {
  name        = "${var.shop.prefix}-stream-${var.name}"
  description = "What the delivery of ${var.name} may do."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.shop.account } }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "rights"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Deliver"
        Effect   = "Allow"
        Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
        Resource = ["${var.bucket}/raw/${var.name}/*", "${var.bucket}/failed/${var.name}/*"]
      },
      {
        Sid      = "KnowTheBucket"
        Effect   = "Allow"
        Action   = ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"]
        Resource = [var.bucket]
      },
      {
        Sid       = "Encrypt"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = [var.shop.kms]
        Condition = { StringEquals = { "kms:ViaService" = ["s3.${var.shop.region}.amazonaws.com"] } }
      },
      {
        Sid      = "Log"
        Effect   = "Allow"
        Action   = ["logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:log-stream:${aws_cloudwatch_log_stream.this.name}"]
      },
    ]
  })
}

resource "aws_cloudwatch_metric_alarm" "late" {
  alarm_name          = "${var.shop.prefix}-${var.name}-late"
  alarm_description   = "Rows have waited more than 15 minutes for their delivery to S3."
  namespace           = "AWS/Firehose"
  metric_name         = "DeliveryToS3.DataFreshness"
  dimensions          = { DeliveryStreamName = aws_kinesis_firehose_delivery_stream.this.name }
  statistic           = "Maximum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 900
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.shop.alarm]
}
