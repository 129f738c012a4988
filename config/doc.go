// Package config owns the static configuration: one handschlag.yaml, checked
// against a schema, every error reported at once with its line. What may change
// while running (switches, catalogue, prices) lives with the hosts.
package config
