resource "aws_apigatewayv2_api" "a" {
  name          = "shop"
  protocol_type = "HTTP"

  cors_configuration {
    allow_origins = ["*"]
  }
}
