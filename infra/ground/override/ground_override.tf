# What moto cannot keep, for the test of the second plan only: tags of buckets, and
# that a bucket tells EventBridge of its objects.
provider "aws" {
  s3_use_path_style = true

  default_tags {
    tags = {}
  }
}

resource "aws_s3_bucket_notification" "export" {
  lifecycle {
    ignore_changes = [eventbridge]
  }
}

# It forgets what the rules of a security group are for.
resource "aws_vpc_security_group_egress_rule" "service" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_egress_rule" "table" {
  lifecycle {
    ignore_changes = [description]
  }
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  lifecycle {
    ignore_changes = [description]
  }
}
