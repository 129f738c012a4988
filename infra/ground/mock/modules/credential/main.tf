# Stands in for modules/credential where the provider is a mock, which knows no
# ephemeral resources: the secret without its value.
resource "aws_secretsmanager_secret" "this" {
  name        = var.name
  description = var.says
  kms_key_id  = var.kms
}
