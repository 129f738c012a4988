variable "name" {
  description = "The bucket's full name."
  type        = string
}

variable "kms" {
  description = "ARN of the key that encrypts its objects."
  type        = string
}

variable "expire_days" {
  description = "Days after which objects are deleted, by the prefix of their keys. Other objects stay."
  type        = map(number)
  default     = {}
}

variable "lock" {
  description = "Keep each object, with its versions, for these days in this mode of object lock. null: objects can be deleted."
  type        = object({ mode = string, days = number })
  default     = null
}

output "name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.bucket
}

output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.this.arn
}
