package flow

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/price"
	"github.com/handschlag/handschlag/profile"
)

// Errors that hosts return and flow acts on. Everything else means "could not
// find out or could not write": callers answer 503 and refuse.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrMoved: a conditional write found that the subject's consent state had
	// changed since it was read.
	ErrMoved = errors.New("consent state moved")
	// ErrTaken: somebody else has it already (a contact, a token).
	ErrTaken = errors.New("already taken")
)

// Host is all the storage that the paths need. host/local and host/aws pass the
// same suite, host/hosttest.
type Host interface {
	Subjects
	Book
	Lists
	Grants
	Events
	Counters
	Profiles
	Decisions
	Contacts
	Advisers
	Switches
	Products
	Prices
	Nights
	Eraser
	// Keys gives the secrets that draws, tokens and digests are keyed with.
	Keys() Keys
	// Ready says why the host cannot serve, or nil.
	Ready(ctx context.Context) error
	// Close waits for what was accepted to be durable.
	Close() error
}

// Keys are secrets of the tenant, 32 random bytes each, made at first start.
type Keys struct {
	Token  []byte // hand-over tokens
	Draw   []byte // hold-out and variant draws
	Digest []byte // message, query and order keys
}

// Subjects maps identifiers to pseudonyms, under a key of its own. The raw
// identifier is never stored: the map's key is HMAC-SHA256(tenant, scope, id).
type Subjects interface {
	// Find gives an identifier's pseudonym, or the zero Subject if it has none.
	Find(ctx context.Context, id consent.ID) (consent.Subject, error)
	// Assign gives an identifier's pseudonym and makes a random one at first.
	// Only consent records, orders, cases a visitor opens and rights requests may.
	Assign(ctx context.Context, id consent.ID) (consent.Subject, error)
	// Link says that a device belongs to an account (CON-14). A later link of the
	// same device replaces it.
	Link(ctx context.Context, device, account consent.Subject, at time.Time) error
	// AccountOf gives the account that a device was linked to, or zero.
	AccountOf(ctx context.Context, device consent.Subject) (consent.Subject, error)
}

// Receipt proves that a record was taken into the ledger's queue.
type Receipt struct {
	Record consent.Record
	Leaf   [32]byte // SHA-256(salt ‖ canonical record)
	Index  int64    // in the ledger; -1 until a checkpoint covers it
}

// Proof is an inclusion proof of a record's leaf under a signed checkpoint.
type Proof struct {
	Record     consent.Record `json:"record"`
	Salt       string         `json:"salt"` // hex
	Leaf       string         `json:"leaf"` // hex
	Index      int64          `json:"index"`
	Hashes     []string       `json:"hashes"`     // base64, RFC 6962
	Checkpoint string         `json:"checkpoint"` // C2SP signed note
}

// Book keeps consent records and the state they fold to, by subject.
type Book interface {
	// State gives a subject's state by a consistent read: what an acknowledged
	// Append wrote is seen. A subject without records has the zero state with its
	// Subject set.
	State(ctx context.Context, s consent.Subject) (consent.State, error)
	// Append adds the record that build makes of the state before it. The host
	// calls build again if another writer came between, sets Subject and Version,
	// and returns once record, state, salt and leaf are durable. The profile
	// sections of purposes that are no longer valid are gone when it returns.
	Append(ctx context.Context, s consent.Subject, build func(consent.State) (consent.Record, error)) (Receipt, error)
	// History gives a subject's records in version order. List entries take versions
	// of their own in between (Lists).
	History(ctx context.Context, s consent.Subject) ([]consent.Record, error)
	// Record finds one record by id.
	Record(ctx context.Context, recordID string) (consent.Record, error)
	// Proof gives a record's inclusion proof; ErrMoved means no checkpoint covers
	// it yet, ErrNotFound that there is no such record.
	Proof(ctx context.Context, recordID string) (Proof, error)
}

// Lists keeps objections, restrictions and suppressions: streams of their own
// beside the consent records (law.md 2.2, L10). Each call is durable and in the
// subject's state when it returns, and moves the state's version, so that it
// binds the very next decision. What the state already says changes nothing.
type Lists interface {
	// Object puts an objection under Art. 21 on the list, or takes it off.
	Object(ctx context.Context, s consent.Subject, scope string, on bool, at time.Time) error
	// Restrict restricts a subject's processing under Art. 18, or lifts that.
	Restrict(ctx context.Context, s consent.Subject, on bool, at time.Time) error
	// Suppress closes a channel of direct marketing to the person behind a subject,
	// or opens it again at the person's own word. The entry is a keyed hash of the
	// identifier and the channel alone: it outlives the subject's erasure, and whoever
	// gets a new pseudonym for that identifier is suppressed again (EXP-03).
	Suppress(ctx context.Context, s consent.Subject, channel string, on bool, at time.Time) error
	// Listed gives a subject's entries in version order: with History, all that its
	// state is folded from. A suppression that it was born with is its first.
	Listed(ctx context.Context, s consent.Subject) ([]consent.Entry, error)
}

// Grants is what prices read of consent (CON-07): beside Subjects, Book and Lists,
// so that whoever judges prices needs no right to what holds a person.
type Grants interface {
	// PriceStanding gives what a price may know of a consent record: PriceStandingOf
	// the record and its subject's state. It is a consistent read: every acknowledged
	// Append, list entry and Erase of that subject is in the answer to the next call,
	// one of another purpose that tells an age too.
	//
	// ErrNotFound if there is no such record, if it does not give personalised_price
	// to an account, and once its subject is erased. Once its grant was interrupted,
	// by whatever no came between, a host may say ErrNotFound too, or that nothing
	// stands, or what stands since a later time: the record never speaks for a grant
	// again. A renewal keeps a grant's start, so all its records go on to stand.
	PriceStanding(ctx context.Context, recordID string) (PriceStanding, error)
}

// Events is the append-only log of admitted events.
type Events interface {
	// AppendEvents returns once every row is durable. On an error none counts as
	// accepted, though some may be there: the night removes duplicates.
	AppendEvents(ctx context.Context, rows []event.Row) error
	// PutCases remembers cases by id, so that the night can decide them again.
	// It is called once per case and process; repeated calls change nothing.
	PutCases(ctx context.Context, cases map[event.CaseID][]byte) error
}

// Counters count what leaves nothing else behind, by hour (UTC) and name.
// Names are: admitted, refused, invalid, duplicate (items of batches), refused/RULE
// (one item may name many rules), invalid/CODE, variant/SLOT/VARIANT,
// variant_event/SLOT/VARIANT/KIND, offer/{none,hint,human,held_out,asked},
// offer_event/KIND, contact/opened/CHANNEL, contact/outcome/OUTCOME,
// price/{allowed,denied}, claim/{allowed,denied}, and review/{cases,overrides,seconds}.
type Counters interface {
	Count(ctx context.Context, at time.Time, names map[string]int64) error
	// Counts sums the hours in [from, to) by name, for names with the prefix.
	Counts(ctx context.Context, from, to time.Time, prefix string) (map[string]int64, error)
}

// StateAt is a consent state that a conditional write depends on.
type StateAt struct {
	Subject consent.Subject
	Version uint64
}

// Profiles keeps one profile per subject.
type Profiles interface {
	// Profile reads a subject's profile; none is the zero Profile.
	Profile(ctx context.Context, s consent.Subject) (profile.Profile, error)
	// UpdateProfile reads, applies change, and saves the result if every state in
	// given is still current; else it returns ErrMoved and saves nothing. If only
	// another profile writer came between, it reads and applies again.
	UpdateProfile(ctx context.Context, s consent.Subject, given []StateAt, change func(profile.Profile) profile.Profile) error
}

// Decisions is the chained, append-only log of decision records.
type Decisions interface {
	// AppendDecision sets Writer, N and Prev, and returns once the record is durable.
	AppendDecision(ctx context.Context, r *decide.Record) error
	Decision(ctx context.Context, id string) (decide.Record, error)
	// SearchDecisions gives matching records, newest first, and a cursor for the
	// next page ("" at the end).
	SearchDecisions(ctx context.Context, q DecisionQuery) ([]decide.Record, string, error)
	// PutDocument keeps a document that decisions name by digest (policy bundle,
	// configuration, scorecard, weights).
	PutDocument(ctx context.Context, digest string, body []byte) error
	Document(ctx context.Context, digest string) ([]byte, error)
}

// DecisionQuery narrows a search; zero fields do not.
type DecisionQuery struct {
	Action  string
	Subject consent.Subject
	Rule    string
	From    time.Time
	To      time.Time
	Limit   int // default 50, at most 500
	Cursor  string
}

// Contact is a hand-over: one visitor who asked for, or accepted, a human.
type Contact struct {
	ID         string          `json:"contact_id"` // UUIDv7
	TokenKey   string          `json:"token_key"`  // digest of the hand-over token: the idempotency key
	Subject    consent.Subject `json:"subject"`    // nobody if the visitor is unknown
	Account    consent.Subject `json:"account"`
	Decision   string          `json:"decision_id"`
	Channel    string          `json:"channel"`
	Page       PageRef         `json:"page"`
	Question   string          `json:"question,omitempty"` // the visitor's own words, if given
	Priority   int             `json:"priority"`           // value tier; never hides
	Speaker    string          `json:"speaker"`            // human
	OpenedAt   time.Time       `json:"opened_at"`
	Adviser    string          `json:"adviser,omitempty"`
	AcceptedAt *time.Time      `json:"accepted_at,omitempty"`
	Outcome    string          `json:"outcome,omitempty"` // helped | not_needed | sold | follow_up
	ClosedAt   *time.Time      `json:"closed_at,omitempty"`
	JoinURL    string          `json:"join_url"`

	Suggested bool       `json:"suggested,omitempty"` // the machine offered it; nobody had asked (ADM-03)
	Callback  *Callback  `json:"callback,omitempty"`  // as the visitor asked for it; gone when the contact is closed
	Recording *Recording `json:"recording,omitempty"`
}

// PageRef is what the visitor was looking at.
type PageRef struct {
	ProductID string `json:"product_id,omitempty"`
	Type      string `json:"type,omitempty"`
}

// Contacts is the built-in queue.
type Contacts interface {
	// OpenContact stores a contact once per TokenKey: a second call with the same
	// key returns the first contact and false.
	OpenContact(ctx context.Context, c Contact) (Contact, bool, error)
	// Waiting lists open, unaccepted contacts: higher priority first, then first come.
	Waiting(ctx context.Context) ([]Contact, error)
	Contact(ctx context.Context, id string) (Contact, error)
	// ChangeContact saves what change makes of the stored contact, atomically. An
	// error from change is returned and nothing is saved.
	ChangeContact(ctx context.Context, id string, change func(Contact) (Contact, error)) (Contact, error)
}

// Adviser is one adviser's own word on availability.
type Adviser struct {
	Name      string    `json:"adviser"`
	Available bool      `json:"available"`
	Channels  []string  `json:"channels"`
	Capacity  int       `json:"capacity"`
	Busy      int       `json:"busy"` // contacts accepted and not closed, counted by the host
	Since     time.Time `json:"since"`
}

// Advisers keeps availability.
type Advisers interface {
	PutAdviser(ctx context.Context, a Adviser) error
	AllAdvisers(ctx context.Context) ([]Adviser, error)
}

// Switch is a kill switch. A switch never set is on.
type Switch struct {
	Name   string    `json:"name"` // offers variants ingest exports personalised_prices
	On     bool      `json:"on"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// Switches binds the next decision: a read sees every acknowledged PutSwitch.
type Switches interface {
	PutSwitch(ctx context.Context, s Switch) error
	AllSwitches(ctx context.Context) (map[string]Switch, error)
}

// Products keeps the imported catalogue.
type Products interface {
	// PutProducts replaces or adds products by id, all or none.
	PutProducts(ctx context.Context, ps []event.Product) error
	// Product finds one.
	Product(ctx context.Context, id string) (event.Product, error)
	// AllProducts lists every product in id order, for the in-memory catalogue.
	AllProducts(ctx context.Context) ([]event.Product, error)
	// ProductsVersion changes with every PutProducts.
	ProductsVersion(ctx context.Context) (uint64, error)
}

// Prices keeps price histories.
type Prices interface {
	// PutPrices merges intervals. An interval may close one that was open; any
	// other overlap is an error that names both, and nothing is saved.
	PutPrices(ctx context.Context, rows []price.Interval) error
	// PriceHistory gives the intervals of one product, storefront, channel and
	// currency in time order.
	PriceHistory(ctx context.Context, product, storefront, channel, currency string) ([]price.Interval, error)
}

// Publication is what a night hands back to the day, and where its exports are.
type Publication struct {
	AsOf      time.Time         `json:"as_of"`
	Run       string            `json:"run"`
	Scorecard *decide.Scorecard `json:"scorecard,omitempty"` // nil: the configured one
	Gain      *decide.Scorecard `json:"gain,omitempty"`      // cents that a contact is expected to gain, by the same features; nil: not known
	Weights   decide.Weights    `json:"weights"`
	Manifest  string            `json:"manifest"` // path of the export manifest, relative to the exports folder
}

// Nights is what the night publishes and the day reads.
type Nights interface {
	// Publish replaces publication and memberships in one step. nil members are none.
	Publish(ctx context.Context, p Publication, members *profile.Members) error
	// Published gives the current publication, the zero one before the first night.
	Published(ctx context.Context) (Publication, error)
	// Membership gives a subject's segments; none is the zero Membership. The
	// caller checks consent and Until.
	Membership(ctx context.Context, s consent.Subject) (profile.Membership, error)
	// Exports gives the finished exports for reading: a folder for each night, named
	// by its date. No name leads out of it, by no link either. What is opened obeys
	// ctx, and may be a Linker. nil means that nothing can be exported.
	Exports(ctx context.Context) fs.FS
}

// Linker is an opened file that can be fetched from where it lies.
type Linker interface {
	fs.File
	// Link gives an address that serves the file to whoever has it, for so long.
	Link(ctx context.Context, ttl time.Duration) (string, error)
}

// Eraser forgets a subject (RGT-05, design.md 9 and 17).
type Eraser interface {
	// Erase removes what is kept of a subject: the ids that lead to it, its links,
	// profile, memberships, contacts and events, and the content of its decisions.
	// Consent records leave the book: their proofs are sealed until nobody can claim
	// anything from them, or erased at once if the host keeps none. The ledger gets
	// an erasure leaf that names their indexes; proofs of others still verify.
	//
	// When it returns nobody finds the subject, and its id gets a new pseudonym if
	// it comes back. Stores that are not Done lose the bytes with the next night. A
	// subject of whom nothing is kept gives an Erasure without stores. An account's
	// devices are subjects of their own: they are unlinked, not erased.
	Erase(ctx context.Context, s consent.Subject, at time.Time) (Erasure, error)
}

// Erasure says what became of a subject's data: the facts of a deletion certificate (A9).
type Erasure struct {
	ID     string        `json:"erasure_id,omitempty"`
	At     time.Time     `json:"at"`
	Stores []ErasedStore `json:"stores"`
	Leaves []int64       `json:"leaves,omitempty"` // ledger indexes of consent records that left the book
	Leaf   string        `json:"leaf,omitempty"`   // hex: the erasure leaf that names them
}

// ErasedStore is one store's part of an erasure.
type ErasedStore struct {
	Store  string     `json:"store"`
	Count  int64      `json:"count"`
	Method string     `json:"method"`          // deleted | redacted | sealed (kept, restricted to defending claims)
	Done   bool       `json:"done"`            // false: unreadable now, the bytes go with the next night
	Until  *time.Time `json:"until,omitempty"` // when what is sealed is erased too
}
