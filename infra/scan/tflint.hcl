# All rules that come with tflint, but for three.
config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "all"
}

# modules/ is no library. The stack is its one caller and pins Terraform and the
# provider for all (versions.tf); a second pin in each could only disagree.
rule "terraform_required_version" {
  enabled = false
}

rule "terraform_required_providers" {
  enabled = false
}

# The stack has a file per room, named like the Go folder, and no main.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}
