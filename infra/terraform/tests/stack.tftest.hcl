# What an apply makes of the variables, with a provider that calls nobody. Mocked
# providers know no ephemeral resources: make test-terraform puts
# infra/ground/mock in the place of modules/credential first.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000", key_id = "00000000-0000-0000-0000-000000000000" }
  }

  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-central-1:123456789012:alarm" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }

  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/mocked" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::mocked" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:mocked" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn        = "arn:aws:lambda:eu-central-1:123456789012:function:mocked"
      invoke_arn = "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/mocked/invocations"
    }
  }

  mock_resource "aws_apigatewayv2_api" {
    defaults = { execution_arn = "arn:aws:execute-api:eu-central-1:123456789012:mocked", api_endpoint = "https://mocked.example" }
  }

  mock_resource "aws_cloudwatch_event_rule" {
    defaults = { arn = "arn:aws:events:eu-central-1:123456789012:rule/mocked" }
  }

  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:mocked" }
  }

  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/mocked" }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/mocked" }
  }

  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:task-definition/mocked:1" }
  }
}

variables {
  prefix          = "shop-test"
  oidc_issuer     = "https://id.example.com"
  night_principal = "arn:aws:iam::123456789012:role/night-machine"
}

run "on_prem_there_is_a_role_and_no_task" {
  assert {
    condition     = length(aws_ecs_cluster.night) + length(aws_vpc.night) + length(aws_scheduler_schedule.night) == 0
    error_message = "Something of the cloud's night was made."
  }

  assert {
    condition     = jsondecode(aws_iam_role.night.assume_role_policy).Statement[0].Principal.AWS == var.night_principal
    error_message = "Somebody else may take the role of the night."
  }
}

run "in_the_cloud_there_is_a_task_that_nobody_else_is" {
  variables {
    night       = "fargate"
    night_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/handschlag-night@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }

  assert {
    condition     = jsondecode(aws_iam_role.night.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" }
    error_message = "Somebody else may take the role of the night."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.night[0].container_definitions)[0].readonlyRootFilesystem
    error_message = "The night may write into its own program."
  }

  assert {
    condition     = local.repository == "arn:aws:ecr:eu-central-1:123456789012:repository/handschlag-night"
    error_message = "The night's image is pulled from ${local.repository}."
  }

  assert {
    condition     = length(aws_vpc_endpoint.table) == 2 && length(aws_vpc_endpoint.service) == 5
    error_message = "The night reaches too much, or too little."
  }
}

run "a_shops_own_retention_is_the_lifecycle" {
  command = plan

  variables {
    config = "tests/handschlag.yaml"
  }

  assert {
    condition     = local.retention.event_days == 7 && local.retention.decision_days == 396
    error_message = "The shop's file does not lie over the default."
  }

  assert {
    condition     = local.environment.HANDSCHLAG_CONFIG == "/var/task/handschlag.yaml"
    error_message = "The functions do not read the shop's file."
  }
}

run "a_whole_configuration_is_read_too" {
  command = plan

  variables {
    config = "../../config/default.yaml"
  }

  assert {
    condition     = local.retention == local.default.retention
    error_message = "The default configuration, given by hand, is not the default."
  }
}

run "names_of_buckets_are_the_worlds" {
  command = plan

  assert {
    condition     = output.night_environment.HANDSCHLAG_AWS_BUCKETS == "shop-test-123456789012"
    error_message = "Buckets begin with ${output.night_environment.HANDSCHLAG_AWS_BUCKETS}."
  }
}

run "outside_the_union_is_refused" {
  command = plan

  variables {
    region = "eu-west-2"
  }

  expect_failures = [var.region]
}

run "a_night_elsewhere_needs_a_principal" {
  command = plan

  variables {
    night_principal = "*"
  }

  expect_failures = [var.night_principal]
}

run "an_image_needs_a_digest" {
  command = plan

  variables {
    night       = "fargate"
    night_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/handschlag-night:latest"
  }

  expect_failures = [var.night_image]
}

run "logs_for_longer_than_a_month_are_refused" {
  command = plan

  variables {
    log_days = 365
  }

  expect_failures = [var.log_days]
}
