terraform {
  required_version = ">= 1.11" # write-only arguments: a secret never enters the state

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.47"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = {
      shop = var.prefix
    }
  }
}

data "aws_caller_identity" "current" {}
