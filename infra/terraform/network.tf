# The network of the night's task: no way in, and no way out but to the services that
# it uses, through end points. There is no gateway to the internet and no NAT.

resource "aws_vpc" "night" {
  count                = local.here
  cidr_block           = "10.80.0.0/24"
  enable_dns_support   = true
  enable_dns_hostnames = true
}

# Nothing may use what AWS adds by itself.
resource "aws_default_security_group" "night" {
  count  = local.here
  vpc_id = aws_vpc.night[0].id
}

resource "aws_subnet" "night" {
  count             = local.here
  vpc_id            = aws_vpc.night[0].id
  cidr_block        = "10.80.0.0/26"
  availability_zone = "${var.region}a"
}

resource "aws_route_table" "night" {
  count  = local.here
  vpc_id = aws_vpc.night[0].id
}

resource "aws_route_table_association" "night" {
  count          = local.here
  subnet_id      = aws_subnet.night[0].id
  route_table_id = aws_route_table.night[0].id
}

# S3 and DynamoDB: free, through the route table, and only to what is this account's.
# The layers of images lie in a bucket of AWS.
resource "aws_vpc_endpoint" "table" {
  for_each = { for s in ["dynamodb", "s3"] : s => "com.amazonaws.${var.region}.${s}" if local.here == 1 }

  vpc_id            = aws_vpc.night[0].id
  service_name      = each.value
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.night[0].id]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "OnlyOurs"
      Effect    = "Allow"
      Principal = "*"
      Action    = "${each.key}:*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:ResourceAccount" = local.account, "aws:PrincipalAccount" = local.account } }
      }],
      [for k in [each.key] : {
        Sid       = "LayersOfImages"
        Effect    = "Allow"
        Principal = "*"
        Action    = "s3:GetObject"
        Resource  = "arn:aws:s3:::prod-${var.region}-starport-layer-bucket/*"
    } if k == "s3"])
  })
}

# The image, the log, the keys and the stream of decisions: paid by the hour, and only
# for who signs in with this account.
resource "aws_vpc_endpoint" "service" {
  for_each = toset(local.here == 1 ? ["ecr.api", "ecr.dkr", "kinesis-firehose", "kms", "logs"] : [])

  vpc_id              = aws_vpc.night[0].id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [aws_subnet.night[0].id]
  security_group_ids  = [aws_security_group.service[0].id]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOurs"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
    }]
  })
}

resource "aws_security_group" "night" {
  count       = local.here
  name        = "${var.prefix}-night"
  description = "The night: out to end points only"
  vpc_id      = aws_vpc.night[0].id
}

resource "aws_vpc_security_group_egress_rule" "service" {
  count                        = local.here
  security_group_id            = aws_security_group.night[0].id
  description                  = "Image, log, keys, stream"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.service[0].id
}

resource "aws_vpc_security_group_egress_rule" "table" {
  for_each = aws_vpc_endpoint.table

  security_group_id = aws_security_group.night[0].id
  description       = "Tables and buckets"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = each.value.prefix_list_id
}

resource "aws_security_group" "service" {
  count       = local.here
  name        = "${var.prefix}-night-service"
  description = "End points: in from the night only"
  vpc_id      = aws_vpc.night[0].id
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  count                        = local.here
  security_group_id            = aws_security_group.service[0].id
  description                  = "From the night"
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  referenced_security_group_id = aws_security_group.night[0].id
}
