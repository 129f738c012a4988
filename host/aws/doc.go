// Package aws owns the shop's storage on AWS: DynamoDB for what must be read at
// once, Firehose and S3 for logs and exports, KMS for keys. It keeps the promises
// of flow/ports.go, as host/local does, and its files are named like that room's.
//
// Whatever a Lambda shares with others lives in the account, never in the
// process: a Host holds a chain of decisions of its own, counts that are on their
// way, and keys, and no state that another writer could change behind its back.
//
// Each table, bucket and stream is named in schema.go and made by
// infra/terraform; a function may open a Host although its role reaches only some
// of them, and learns of a missing right by name at the first call that needs it.
//
// What only a night does is left out of functions, which are built with the tag
// lambda.norpc: they link no Parquet.
package aws
