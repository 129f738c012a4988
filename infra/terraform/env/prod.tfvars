# The shop. Put your own account, issuer, image and addresses in.
prefix              = "handschlag-prod"
account_id          = "123456789012"
region              = "eu-central-1"
oidc_issuer         = "https://id.example.com"
requests_per_second = 500
requests_burst      = 1000
log_days            = 30
alarm_emails        = ["shop-operations@example.com"]
proof_lock_mode     = "COMPLIANCE"
proof_lock_days     = 1461
policy_principal    = "arn:aws:iam::123456789012:role/shop-release"
night               = "fargate"
night_image         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/handschlag-night@sha256:0000000000000000000000000000000000000000000000000000000000000000"
