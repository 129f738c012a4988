resource "aws_nat_gateway" "a" {
  subnet_id = "night"
}
