variable "prefix" {
  description = "Begins the name of every table, stream, function, role and key alias, such as handschlag-dev."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,25}$", var.prefix))
    error_message = "prefix: want 3 to 26 lower-case letters, digits and dashes, a letter first."
  }
}

variable "bucket_prefix" {
  description = "Begins the name of every bucket; bucket names are the world's. null: prefix, a dash and the account's number."
  type        = string
  default     = null
}

variable "account_id" {
  description = "The only account that may be changed, by its 12 digits. null: whichever one the credentials lead to."
  type        = string
  default     = null
}

variable "region" {
  description = "Where everything lies. Only regions in the European Union (OPS-04): eu-west-2 and eu-central-2 are not."
  type        = string
  default     = "eu-central-1"

  validation {
    condition     = contains(["eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"], var.region)
    error_message = "region: want one in the European Union (OPS-04)."
  }
}

variable "config" {
  description = "Path of the shop's handschlag.yaml, the same file that `make lambdas CONFIG=…` puts into the zips. null: the default configuration."
  type        = string
  default     = null
}

variable "lambdas" {
  description = "Folder with the zips that `make lambdas` builds, one per function."
  type        = string
  default     = "../../bin/lambda"
}

variable "oidc_issuer" {
  description = "Who signs the tokens of advisers, marketing, DPO and operations: an OpenID Connect issuer's URL."
  type        = string

  validation {
    condition     = startswith(var.oidc_issuer, "https://")
    error_message = "oidc_issuer: want an https URL."
  }
}

variable "oidc_audience" {
  description = "The audience that staff tokens are made for."
  type        = string
  default     = "handschlag"
}

variable "oidc_role_claim" {
  description = "The claim of a staff token that holds the roles."
  type        = string
  default     = "role"
}

variable "policy_key" {
  description = "PEM public key that policy bundles must be signed with. Empty: the rules inside the functions, and no bundle."
  type        = string
  default     = ""
}

variable "policy_principal" {
  description = "ARN of the IAM role or user that installs policy bundles. null: nobody here."
  type        = string
  default     = null

  validation {
    condition     = var.policy_principal == null || can(regex("^arn:aws:iam::[0-9]{12}:(role|user)/[^*]+$", var.policy_principal))
    error_message = "policy_principal: want the ARN of one role or user."
  }
}

variable "identity_public_key" {
  description = "PEM public key (Ed25519) of the shop's backend, if it signs identity tokens so. Empty: by the secret identity-secret."
  type        = string
  default     = ""
}

variable "secret_versions" {
  description = "How often each secret was made anew. Raise a number to have AWS make a new value."
  type = object({
    write_key       = optional(number, 1)
    server_key      = optional(number, 1)
    identity_secret = optional(number, 1)
  })
  default = {}
}

variable "requests_per_second" {
  description = "Requests per second that the gateway lets through, over all routes."
  type        = number
  default     = 200
}

variable "requests_burst" {
  description = "Requests at once that the gateway lets through on top."
  type        = number
  default     = 400
}

variable "log_days" {
  description = "Days that logs are kept (law.md 2.6: security logs 30)."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30], var.log_days)
    error_message = "log_days: want 1, 3, 5, 7, 14 or 30."
  }
}

variable "alarm_emails" {
  description = "Addresses that alarms are sent to; each has to confirm once."
  type        = set(string)
  default     = []
}

variable "proof_lock_mode" {
  description = "COMPLIANCE: nobody deletes a checkpoint, bundle or manifest before its days are over, not even the account's root. GOVERNANCE: who may bypass it, may."
  type        = string
  default     = "COMPLIANCE"

  validation {
    condition     = contains(["COMPLIANCE", "GOVERNANCE"], var.proof_lock_mode)
    error_message = "proof_lock_mode: want COMPLIANCE or GOVERNANCE."
  }
}

variable "proof_lock_days" {
  description = "Days that checkpoints, bundles and manifests are locked. No subject data lies there."
  type        = number
  default     = 1461

  validation {
    condition     = var.proof_lock_days >= 1 && var.proof_lock_days <= 36500
    error_message = "proof_lock_days: want 1 to 36500."
  }
}

variable "night" {
  description = "fargate: the night runs as a task here. on_prem: it runs elsewhere, and night_principal may take the role that it needs."
  type        = string
  default     = "on_prem"

  validation {
    condition     = contains(["fargate", "on_prem"], var.night)
    error_message = "night: want fargate or on_prem."
  }
}

variable "night_principal" {
  description = "ARN of the IAM role or user that the on-premises night signs in as. Needed with night = on_prem."
  type        = string
  default     = null

  validation {
    condition     = var.night != "on_prem" || can(regex("^arn:aws:iam::[0-9]{12}:(role|user)/[^*]+$", var.night_principal))
    error_message = "night_principal: with night = on_prem, want the ARN of one role or user."
  }
}

variable "night_image" {
  description = "Image of the night in a private repository of this region, by digest. Needed with night = fargate."
  type        = string
  default     = null

  validation {
    condition     = var.night != "fargate" || can(regex("^[0-9]{12}\\.dkr\\.ecr\\.[a-z0-9-]+\\.amazonaws\\.com/[a-z0-9/_.-]+@sha256:[0-9a-f]{64}$", var.night_image))
    error_message = "night_image: with night = fargate, want ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:DIGEST."
  }
}

variable "night_at" {
  description = "When the night begins, as minute and hour (UTC) of a schedule expression. Ingest days end at midnight UTC."
  type        = string
  default     = "30 1"
}

variable "night_cpu" {
  description = "CPU of the night's task, in 1/1024 of a processor."
  type        = number
  default     = 2048
}

variable "night_memory_mb" {
  description = "Memory of the night's task in MB; Fargate couples it to the CPU."
  type        = number
  default     = 8192
}

variable "night_disk_gb" {
  description = "Disk of the night's task in GB: the snapshot, and what DuckDB spills."
  type        = number
  default     = 50

  validation {
    condition     = var.night_disk_gb >= 21 && var.night_disk_gb <= 200
    error_message = "night_disk_gb: want 21 to 200."
  }
}
