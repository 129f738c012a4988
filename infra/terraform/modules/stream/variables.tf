variable "name" {
  description = "What the stream carries: events or decisions."
  type        = string
}

variable "bucket" {
  description = "ARN of the bucket that it delivers to."
  type        = string
}

variable "shop" {
  description = "What every stream is given alike."
  type = object({
    prefix   = string
    account  = string
    region   = string
    log_days = number
    kms      = string # ARN of the main key
    alarm    = string # ARN of the topic
  })
}

output "arn" {
  description = "The stream's ARN."
  value       = aws_kinesis_firehose_delivery_stream.this.arn
}
