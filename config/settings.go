package config

import "github.com/handschlag/handschlag/policy"

// PolicySettings are the numbers that the rules read of the configuration.
func (c *Config) PolicySettings() policy.Settings {
	return policy.Settings{ConfigDigest: c.Digest(), MaxDiscountBP: c.Prices.MaxDiscountBP, K: c.Exports.K}
}
