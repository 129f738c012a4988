variable "name" {
  description = "The table's full name."
  type        = string
}

variable "hash" {
  description = "Partition key, a string."
  type        = string
}

variable "range" {
  description = "Sort key, a string. null: none."
  type        = string
  default     = null
}

variable "indexes" {
  description = "Global secondary indexes by name; each projects everything."
  type        = map(object({ hash = string, range = string }))
  default     = {}
}

variable "ttl" {
  description = "Attribute that garbage collection goes by, in epoch seconds; code checks it too. null: none."
  type        = string
  default     = null
}

variable "kms" {
  description = "ARN of the key that encrypts the table."
  type        = string
}

variable "alarm" {
  description = "ARN of the topic that alarms go to."
  type        = string
}

output "arn" {
  description = "The table's ARN."
  value       = aws_dynamodb_table.this.arn
}

output "indexes" {
  description = "ARNs of the indexes by name."
  value       = { for name, i in var.indexes : name => "${aws_dynamodb_table.this.arn}/index/${name}" }
}
