package config

import (
	"maps"
	"slices"
)

// LegalBlocks are what every variant must leave in place (VAR-05).
var LegalBlocks = []string{"withdrawal", "order_button", "price_shipping", "imprint", "privacy_consent", "contact"}

// PatternFlags are the deceptive patterns that a review may find (VAR-04, EDPB 03/2022).
var PatternFlags = []string{"overloading", "skipping", "stirring", "obstructing", "fickle", "left_in_the_dark"}

// Channels are the ways to a human.
var Channels = []string{"call", "chat", "video"}

// Notice finds a privacy notice by version.
func (c *Config) Notice(version string) (Notice, bool) {
	return find(c.Notices, func(n Notice) bool { return n.Version == version })
}

// UIVersion finds a banner or preference centre by version.
func (c *Config) UIVersion(version string) (UI, bool) {
	return find(c.UI, func(u UI) bool { return u.Version == version })
}

func find[T any](list []T, is func(T) bool) (found T, ok bool) {
	i := slices.IndexFunc(list, is)
	if i < 0 {
		return found, false
	}
	return list[i], true
}

// CategoryTags gives the sensitive tag of each configured category.
func (c *Config) CategoryTags() map[string]string { return maps.Clone(c.Sensitive) }

// MissingLegal reports whether the variant lacks a legal block (VAR-05).
func (v Variant) MissingLegal() bool {
	return slices.ContainsFunc(LegalBlocks, func(b string) bool { return !slices.Contains(v.Blocks, b) })
}
