# Copied over the stack, these files let terraform destroy remove what no plan may
# remove otherwise (docs/aws.md, Leaving).
resource "aws_kms_key" "main" {
  lifecycle {
    prevent_destroy = false
  }
}

resource "aws_kms_key" "identity" {
  lifecycle {
    prevent_destroy = false
  }
}
