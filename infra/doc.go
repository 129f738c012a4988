// Package infra owns what the account is made of, in infra/terraform, and reads it
// as Terraform would, without Terraform, a provider or an account: modules, counts
// and loops are laid out, and what only AWS knows looks as AWS will make it.
//
// Tests judge what was read by the rules in infra/rego, and the test ground lets a
// function do what its role says and no more. It knows as much of the language as
// our own files use, and refuses the rest.
package infra
