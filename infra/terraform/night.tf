# The machine of the night, with night = fargate: once a day a task in a network that
# reaches our tables, buckets and keys and nothing else (docs/decisions/0019).

locals {
  here = var.night == "fargate" ? 1 : 0
}

resource "aws_ecs_cluster" "night" {
  count = local.here
  name  = "${var.prefix}-night"

  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}

resource "aws_ecs_task_definition" "night" {
  count                    = local.here
  family                   = "${var.prefix}-night"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.night_cpu
  memory                   = var.night_memory_mb
  task_role_arn            = aws_iam_role.night.arn
  execution_role_arn       = aws_iam_role.night_start[0].arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64" # DuckDB is linked statically, for this processor only
  }

  ephemeral_storage {
    size_in_gib = var.night_disk_gb
  }

  # The image's user owns both; its program is never written to.
  volume {
    name = "data"
  }

  volume {
    name = "tmp"
  }

  container_definitions = jsonencode([{
    name                   = "night"
    image                  = var.night_image
    essential              = true
    readonlyRootFilesystem = true
    environment            = [for k, v in merge(local.environment, { AWS_REGION = var.region }) : { name = k, value = v } if k != "HANDSCHLAG_SECRETS"]
    mountPoints            = [for v in ["data", "tmp"] : { sourceVolume = v, containerPath = "/${v}", readOnly = false }]
    linuxParameters        = { capabilities = { drop = ["ALL"] } }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.night[0].name
        awslogs-region        = var.region
        awslogs-stream-prefix = "night"
      }
    }
  }])
}

resource "aws_cloudwatch_log_group" "night" {
  count             = local.here
  name              = "/ecs/${var.prefix}-night"
  retention_in_days = var.log_days
  kms_key_id        = aws_kms_key.main.arn
}

# What starts the task: pulls the image, opens the log.
resource "aws_iam_role" "night_start" {
  count       = local.here
  name        = "${var.prefix}-night-start"
  description = "Pulls the night's image and opens its log."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

locals {
  image = regex("^(?P<account>[0-9]+)\\.dkr\\.ecr\\.(?P<region>[^.]+)\\.[^/]+/(?P<repository>[^@]+)",
  coalesce(var.night_image, "0.dkr.ecr.none.none/none"))
  repository = "arn:aws:ecr:${local.image.region}:${local.image.account}:repository/${local.image.repository}"
}

resource "aws_iam_role_policy" "night_start" {
  count = local.here
  name  = "rights"
  role  = aws_iam_role.night_start[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Sid = "SignIn", Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
      { Sid = "Pull", Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource = [local.repository] },
      { Sid = "Log", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.night[0].arn}:log-stream:*"] },
    ]
  })
}

# The clock. Days of ingest end at midnight UTC.
resource "aws_scheduler_schedule" "night" {
  count                        = local.here
  name                         = "${var.prefix}-night"
  description                  = "The night, once a day."
  schedule_expression          = "cron(${var.night_at} * * ? *)"
  schedule_expression_timezone = "UTC"

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = aws_ecs_cluster.night[0].arn
    role_arn = aws_iam_role.night_clock[0].arn

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.night[0].arn
      launch_type         = "FARGATE"

      network_configuration {
        subnets          = [aws_subnet.night[0].id]
        security_groups  = [aws_security_group.night[0].id]
        assign_public_ip = false
      }
    }

    retry_policy {
      maximum_retry_attempts       = 3
      maximum_event_age_in_seconds = 3600
    }
  }
}

resource "aws_iam_role" "night_clock" {
  count       = local.here
  name        = "${var.prefix}-night-clock"
  description = "Starts the night's task."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "night_clock" {
  count = local.here
  name  = "rights"
  role  = aws_iam_role.night_clock[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Start"
        Effect    = "Allow"
        Action    = ["ecs:RunTask"]
        Resource  = [aws_ecs_task_definition.night[0].arn]
        Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.night[0].arn } }
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = ["iam:PassRole"]
        Resource  = [aws_iam_role.night.arn, aws_iam_role.night_start[0].arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

# A night that ends with an error, or cannot begin, says so at once. EventBridge cannot
# publish to an encrypted topic whose key asks for an account: the alarm does.
resource "aws_cloudwatch_event_rule" "night_failed" {
  count       = local.here
  name        = "${var.prefix}-night-failed"
  description = "The night's task ended, and not well."

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
    detail = {
      clusterArn = [aws_ecs_cluster.night[0].arn]
      lastStatus = ["STOPPED"]
      containers = { exitCode = [{ anything-but = 0 }, { exists = false }] }
    }
  })
}

resource "aws_cloudwatch_event_target" "night_failed" {
  count = local.here
  rule  = aws_cloudwatch_event_rule.night_failed[0].name
  arn   = aws_cloudwatch_log_group.published.arn
}

resource "aws_cloudwatch_metric_alarm" "night_failed" {
  count               = local.here
  alarm_name          = "${var.prefix}-night-failed"
  alarm_description   = "The night's task ended, and not well: nothing was published. Its log says why, or the reason in ${aws_cloudwatch_log_group.published.name}."
  namespace           = "AWS/Events"
  metric_name         = "Invocations"
  dimensions          = { RuleName = aws_cloudwatch_event_rule.night_failed[0].name }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarm.arn]
}
