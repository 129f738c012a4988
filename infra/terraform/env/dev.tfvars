# A shop to try things in. The night runs on your own machine.
prefix              = "handschlag-dev"
region              = "eu-central-1"
oidc_issuer         = "https://id.example.com"
requests_per_second = 20
requests_burst      = 40
log_days            = 7
proof_lock_mode     = "GOVERNANCE"
proof_lock_days     = 1
night               = "on_prem"
night_principal     = "arn:aws:iam::123456789012:role/night-machine"
