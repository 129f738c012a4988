package aws

// Table is what the account must have of a DynamoDB table. infra/terraform makes
// it, a test compares the two, and tests and SAM make it from here.
type Table struct {
	Name    string // after the prefix and a dash
	Hash    string // partition key
	Range   string // sort key; "" for none
	Indexes []Index
	TTL     string // attribute that garbage collection goes by; code checks it too
	Person  bool   // its items are about a subject
	KMS     string // alias of its key, after the prefix and a dash
}

// Index is a global secondary index that projects everything.
type Index struct{ Name, Hash, Range string }

// The tables. All keys are strings: a subject is keyed by "BBB#" and 32 hex
// digits, BBB its bucket in hex (design.md, 16).
const (
	tableIdentity = "identity" // keyed hashes of identifiers to subjects, and back; suppressions
	tableBook     = "book"     // consent records, states, list entries, links, sealed proofs, graves
	tableLeaf     = "leaf"     // leaves on their way into the ledger, and the openings of what is no record
	tableLedger   = "ledger"   // the head, by compare-and-swap
	tableProfile  = "profile"
	tableDecision = "decision"
	tablePriced   = "price-decision" // decisions about prices, which are about nobody
	tableDesk     = "desk"           // contacts and advisers
	tableControl  = "control"        // switches, and pointers to what is live: a partition for each (control.go)
	tableCounter  = "counter"
	tableCase     = "case"
	tablePrice    = "price"       // price histories
	tableGrant    = "price-grant" // what a price may know of a consent: a few booleans, and nobody's name
	tableMember   = "member"      // what the night found out, by run and subject
	tableSecret   = "secret"      // keys, wrapped by KMS
)

// The aliases of keys in KMS.
const (
	keyIdentity = "identity" // the identity table, and the key of its hashes
	keyMain     = "main"     // everything else
)

// The buckets, after their own prefix and a dash.
const (
	bucketEvents  = "events"  // what Firehose delivers, and the days that a night compacts it to
	bucketLedger  = "ledger"  // tiles
	bucketProof   = "proof"   // checkpoints/, bundles/, manifests/: versioned and locked
	bucketShop    = "shop"    // products/, documents/: no person
	bucketExports = "exports" // dated exports, and current.json, the one pointer
	bucketNight   = "night"   // the night's own state between nights
)

// The delivery streams, after the prefix and a dash.
const (
	streamEvents    = "events"
	streamDecisions = "decisions"
)

// Tables lists every table.
var Tables = []Table{
	{Name: tableIdentity, Hash: "k", Person: true, KMS: keyIdentity},
	{Name: tableBook, Hash: "s", Range: "r", Person: true, KMS: keyMain},
	{Name: tableLeaf, Hash: "q", Range: "n", KMS: keyMain},
	{Name: tableLedger, Hash: "name", KMS: keyMain},
	{Name: tableProfile, Hash: "s", Person: true, KMS: keyMain},
	{Name: tableDecision, Hash: "id", TTL: "expires", Person: true, KMS: keyMain, Indexes: []Index{
		{Name: "by_time", Hash: "slot", Range: "at"}, {Name: "by_subject", Hash: "s", Range: "at"},
	}},
	{Name: tablePriced, Hash: "id", TTL: "expires", KMS: keyMain, Indexes: []Index{{Name: "by_time", Hash: "slot", Range: "at"}}},
	{Name: tableDesk, Hash: "p", Range: "r", TTL: "expires", Person: true, KMS: keyMain},
	{Name: tableControl, Hash: "p", Range: "r", KMS: keyMain},
	{Name: tableCounter, Hash: "hour", Range: "writer", TTL: "expires", KMS: keyMain},
	{Name: tableCase, Hash: "id", KMS: keyMain},
	{Name: tablePrice, Hash: "k", KMS: keyMain},
	{Name: tableGrant, Hash: "k", KMS: keyMain},
	{Name: tableMember, Hash: "s", TTL: "expires", Person: true, KMS: keyMain},
	{Name: tableSecret, Hash: "name", KMS: keyMain},
}

// Buckets lists every bucket; Locked ones are versioned and keep their objects.
var Buckets = []Bucket{
	{Name: bucketEvents}, {Name: bucketLedger}, {Name: bucketProof, Locked: true}, {Name: bucketShop}, {Name: bucketExports}, {Name: bucketNight},
}

// Bucket is what the account must have of a bucket.
type Bucket struct {
	Name   string
	Locked bool
}

// Streams and Keys list the delivery streams and the aliases.
var (
	Streams = []string{streamEvents, streamDecisions}
	Keys    = []string{keyIdentity, keyMain}
)
