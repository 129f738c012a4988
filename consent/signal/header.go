package signal

import "slices"

// GPC reads the values of all Sec-GPC header fields: only exactly "1" counts,
// and one is enough (SIG-01).
func GPC(values []string) bool { return slices.Contains(values, "1") }

// DNT reads the DNT header (SIG-03).
func DNT(value string) bool { return value == "1" }
