//go:build !linux

package main

// rssPerMB: elsewhere the resident set is counted in bytes.
const rssPerMB = 1 << 20
