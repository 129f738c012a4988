variable "name" {
  description = "The function's name: that of its folder in functions/."
  type        = string
}

variable "shop" {
  description = "What every function is given alike."
  type = object({
    prefix      = string
    lambdas     = string # folder of the zips
    environment = map(string)
    log_days    = number
    kms         = string # ARN of the main key
    alarm       = string # ARN of the topic
    api         = object({ id = string, execution_arn = string })
  })
}

variable "memory_mb" {
  description = "Memory in MB; on Lambda it buys CPU, too."
  type        = number
}

variable "seconds" {
  description = "Seconds after which a call is ended."
  type        = number
}

variable "routes" {
  description = "Routes that lead to it, as METHOD PATH (api.Functions)."
  type        = set(string)
}

variable "environment" {
  description = "Variables of its own."
  type        = map(string)
  default     = {}
}

variable "rights" {
  description = "What its role may do, by a name that says so."
  type = map(object({
    actions   = list(string)
    resources = list(string)
    condition = optional(map(map(list(string))))
  }))
}

output "arn" {
  description = "The function's ARN."
  value       = aws_lambda_function.this.arn
}

output "name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}
