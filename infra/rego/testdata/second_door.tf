resource "aws_lambda_function_url" "a" {
  function_name      = "shop-price"
  authorization_type = "NONE"
}
