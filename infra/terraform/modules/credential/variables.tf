variable "name" {
  description = "The secret's name."
  type        = string
}

variable "says" {
  description = "What it is for."
  type        = string
}

variable "kms" {
  description = "ARN of the key that encrypts it."
  type        = string
}

variable "made" {
  description = "How often it was made anew: another number makes another value."
  type        = number
}

output "arn" {
  description = "The secret's ARN."
  value       = aws_secretsmanager_secret.this.arn
}

output "name" {
  description = "The secret's name."
  value       = aws_secretsmanager_secret.this.name
}
