//go:build awslocal

package aws

// InBatchesOf has the ledger grow by so few leaves at a time.
func InBatchesOf(o Options, most int) Options {
	o.batchMost = most
	return o
}
