resource "aws_vpc_security_group_egress_rule" "a" {
  security_group_id = "night"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
