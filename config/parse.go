package config

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Problem is one thing wrong in the file, and how to mend it.
type Problem struct {
	Line int    // 1-based; 0 for the file as a whole
	Path string // offers.hours[2].from
	Text string
}

// Errors are all problems of a file, in line order.
type Errors []Problem

// Error lists every problem, one per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = fmt.Sprintf("line %d: %s: %s", p.Line, p.Path, p.Text)
	}
	return strings.Join(lines, "\n")
}

// Parse reads handschlag.yaml. Keys left out keep their default. Every problem is
// reported at once, as Errors.
func Parse(yaml []byte) (*Config, error) { return nil, errors.New("not built yet") }

// Default is the configuration of DefaultYAML.
func Default() *Config { return &Config{} }

// DefaultYAML is the commented default file.
func DefaultYAML() []byte { return nil }

// Digest is the hex SHA-256 of Document.
func (c *Config) Digest() string { return "" }

// Document is the configuration's one byte form, kept with the decisions that name its digest.
func (c *Config) Document() []byte { return nil }

// Location is the shop's time zone.
func (c *Config) Location() *time.Location { return time.UTC }

// OpenAt reports whether advisers may be offered at t; always, if no hours are configured.
func (c *Config) OpenAt(t time.Time) bool { return true }

// NextOpening is the next moment at or after t when OpenAt is true; false if never.
func (c *Config) NextOpening(t time.Time) (time.Time, bool) { return t, true }

// NextOpeningText says when advisers can be reached next, in de or en.
func (c *Config) NextOpeningText(t time.Time, language string) string { return "" }

// Notice finds a privacy notice by version.
func (c *Config) Notice(version string) (Notice, bool) { return Notice{}, false }

// UIVersion finds a banner or preference-centre version.
func (c *Config) UIVersion(version string) (UI, bool) { return UI{}, false }

// CategoryTags gives the sensitive tag of each configured category.
func (c *Config) CategoryTags() map[string]string { return nil }

// MissingLegal reports whether the variant lacks a legal block (VAR-05).
func (v Variant) MissingLegal() bool { return false }
