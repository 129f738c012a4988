resource "aws_scheduler_schedule" "a" {
  name = "night"

  target {
    ecs_parameters {
      network_configuration {
        assign_public_ip = null
      }
    }
  }
}
