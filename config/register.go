package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// DPO is the data protection officer (Art. 37 GDPR): who gives opinions, and never decides.
type DPO struct {
	Name    string `yaml:"name"`
	Contact string `yaml:"contact"`
}

// Register is what the shop says about its processing: the record of Art. 30 GDPR
// and the papers that a processing rests on. Package policy judges it (LAW-01).
type Register struct {
	Transfers   Transfers    `yaml:"transfers"`
	Measures    []Measure    `yaml:"measures"`
	Recipients  []Recipient  `yaml:"recipients"`
	Identifiers []Identifier `yaml:"identifiers"`
	Processings []Processing `yaml:"processings"`
	LIA         []LIA        `yaml:"lia"`
	DPIA        []DPIA       `yaml:"dpia"`
	Holds       []Hold       `yaml:"holds"`
}

// Transfers are the grounds of transfers that can fall overnight (OPS-04).
type Transfers struct {
	DPF      bool   `yaml:"dpf"`      // the EU-US Data Privacy Framework still stands
	Fallback string `yaml:"fallback"` // what happens to its recipients if it falls
}

// Measure is a technical or organisational measure (Art. 30(1)(g), Art. 32).
type Measure struct {
	ID   string            `yaml:"id"`
	Text map[string]string `yaml:"text"` // de, en
}

// Recipient is somebody whom data reaches (Art. 30(1)(d), (e)).
type Recipient struct {
	ID           string   `yaml:"id"` // as exports.channels and processings name it
	Name         string   `yaml:"name"`
	Role         string   `yaml:"role"`     // own | processor | controller | joint
	Contract     string   `yaml:"contract"` // Art. 26 or 28; a controller of its own: what it was bound to
	Country      string   `yaml:"country"`  // ISO 3166
	Transfer     string   `yaml:"transfer"` // none (EU/EEA) | adequacy | dpf | scc
	Assessment   string   `yaml:"transfer_assessment"`
	SubProcessor []string `yaml:"sub_processors"`
	DeletionDays int      `yaml:"deletion_days"` // within which it deletes what it is told to
	LastCheck    string   `yaml:"last_check"`    // date
}

// Identifier is something by which a device or person is known again, with what
// it may be used for (CON-02).
type Identifier struct {
	ID       string            `yaml:"id"`
	Kind     string            `yaml:"kind"` // cookie | storage | token | server
	Text     map[string]string `yaml:"text"`
	Purposes []consent.Purpose `yaml:"allowed_purposes"`
	Exempt   []consent.Purpose `yaml:"exempt_purposes"` // without consent, § 25(2) TDDDG
	Days     int               `yaml:"days"`            // it lives
}

// Processing is one purpose of the record of processing (Art. 30(1)), with what
// the rules ask of it.
type Processing struct {
	Purpose        consent.Purpose   `yaml:"purpose"`
	Name           map[string]string `yaml:"name"`
	Basis          string            `yaml:"basis"` // 6-1-a | 6-1-b | 6-1-c | 6-1-f
	Art9           string            `yaml:"art_9"` // 9-2-a for special categories, else ""
	Subjects       []string          `yaml:"subjects"`
	DataCategories []string          `yaml:"data_categories"` // fideslang
	DataUse        []string          `yaml:"data_use"`        // fideslang; x. begins a key of our own
	DPV            string            `yaml:"dpv"`
	Recipients     []string          `yaml:"recipients"`
	RetentionDays  int               `yaml:"retention_days"` // of what lives longest
	Retention      map[string]string `yaml:"retention"`      // in words, with what ends earlier
	DeviceAccess   bool              `yaml:"device_access"`  // stores or reads on the device (§ 25 TDDDG)
	Profiling      bool              `yaml:"profiling"`      // Art. 4(4)
	Identifiers    []string          `yaml:"identifiers"`    // by which it knows somebody again
	Sources        []consent.Purpose `yaml:"sources"`        // whose data it uses beside its own (LAW-04)
	Compatible     []consent.Purpose `yaml:"compatible"`     // that may use its data without a consent of their own (Art. 6(4))
	Features       []string          `yaml:"features"`       // that decisions may use, without the window's suffix (LAW-05)
	LookbackDays   int               `yaml:"lookback_days"`  // how far back they may look
	DPIARequired   bool              `yaml:"dpia_required"`
	DPIA           string            `yaml:"dpia"`
	LIA            string            `yaml:"lia"`
	Owner          string            `yaml:"owner"`
	Measures       []string          `yaml:"measures"`
}

// LIA is a legitimate interest assessment (LAW-02).
type LIA struct {
	ID             string            `yaml:"id"`
	Purposes       []consent.Purpose `yaml:"purposes"`
	Interest       string            `yaml:"interest"`
	Necessity      string            `yaml:"necessity"`
	Balancing      string            `yaml:"balancing"`
	Safeguards     string            `yaml:"safeguards"`
	ObjectionRoute string            `yaml:"objection_route"`
	ApprovedAt     string            `yaml:"approved_at"` // date
	ApprovedBy     string            `yaml:"approved_by"`
}

// DPIA is a data protection impact assessment (OPS-03): what it assessed, what
// the DPO said, and what the controller decided.
type DPIA struct {
	ID         string            `yaml:"id"`
	Version    string            `yaml:"version"`
	Title      map[string]string `yaml:"title"`
	Purposes   []consent.Purpose `yaml:"purposes"`
	Features   []string          `yaml:"features"`   // assessed, without the window's suffix
	Recipients []string          `yaml:"recipients"` // assessed
	Necessity  string            `yaml:"necessity"`
	Risks      []Risk            `yaml:"risks"`
	Views      string            `yaml:"views"` // of the persons concerned (Art. 35(9))
	Opinion    Opinion           `yaml:"opinion"`
	Decision   Decision          `yaml:"decision"`
	ReviewBy   string            `yaml:"review_by"` // date, exclusive
}

// Risk is one risk to the persons, before and after the measures.
type Risk struct {
	Risk     string   `yaml:"risk"`
	Inherent string   `yaml:"inherent"` // low | medium | high
	Residual string   `yaml:"residual"`
	Measures []string `yaml:"measures"`
}

// Opinion is the DPO's advice (Art. 35(2), 39(1)(c)).
type Opinion struct {
	By   string `yaml:"by"`
	At   string `yaml:"at"` // date
	Text string `yaml:"text"`
}

// Decision is the controller's.
type Decision struct {
	By       string `yaml:"by"`
	At       string `yaml:"at"` // date
	Text     string `yaml:"text"`
	Approved bool   `yaml:"approved"`
}

// Hold keeps a class of data beyond its term, for a stated reason.
type Hold struct {
	What   string `yaml:"what"`
	Reason string `yaml:"reason"`
	Until  string `yaml:"until"` // date
	By     string `yaml:"by"`
}

// Review is what a person found when looking at a consent control for the six
// kinds of deceptive patterns of EDPB 03/2022 (PatternFlags).
type Review struct {
	By       string   `yaml:"by"`
	At       string   `yaml:"at"` // date
	Patterns []string `yaml:"patterns"`
	Note     string   `yaml:"note"`
}

// NoticeElements are what a notice must name (CON-09).
var NoticeElements = []string{"controller", "purposes", "data", "recipients", "duration", "transfers", "withdrawal"}

// Processings of a purpose; more than one if the register lists it for several
// groups of persons.
func (c *Config) Processings(p consent.Purpose) []Processing {
	var out []Processing
	for _, x := range c.Register.Processings {
		if x.Purpose == p {
			out = append(out, x)
		}
	}
	return out
}

// RecipientNamed finds a recipient by the name that channels and processings use.
func (c *Config) RecipientNamed(id string) (Recipient, bool) {
	return find(c.Register.Recipients, func(r Recipient) bool { return r.ID == id })
}

// DPIANamed finds an impact assessment.
func (c *Config) DPIANamed(id string) (DPIA, bool) {
	return find(c.Register.DPIA, func(d DPIA) bool { return d.ID == id })
}

// LIANamed finds an interest assessment.
func (c *Config) LIANamed(id string) (LIA, bool) {
	return find(c.Register.LIA, func(l LIA) bool { return l.ID == id })
}

// IdentifierNamed finds an identifier.
func (c *Config) IdentifierNamed(id string) (Identifier, bool) {
	return find(c.Register.Identifiers, func(x Identifier) bool { return x.ID == id })
}

// NoticesNaming lists the versions of the notices that name a recipient (CON-09, EXP-08).
func (c *Config) NoticesNaming(recipient string) (out []string) {
	for _, n := range c.Notices {
		if slices.Contains(n.Recipients, recipient) {
			out = append(out, n.Version)
		}
	}
	return out
}

// IdleChannels says, a line each, through which channels of exports nothing leaves,
// whatever visitors said: the register or the notices lack their recipient (EXP-08).
func (c *Config) IdleChannels() (out []string) {
	for _, x := range c.Exports.Channels {
		told := func(n Notice) bool {
			return slices.Contains(n.Recipients, x.Recipient) && (!x.Purpose.Gated() || slices.Contains(n.Purposes, x.Purpose))
		}
		if _, ok := c.RecipientNamed(x.Recipient); !ok {
			out = append(out, fmt.Sprintf("nothing leaves through channel %s: register.recipients has no %q (EXP-08)", x.Name, x.Recipient))
		} else if !slices.ContainsFunc(c.Notices, told) {
			out = append(out, fmt.Sprintf("nothing leaves through channel %s: no notice about %s names %q as a recipient (EXP-08)", x.Name, x.Purpose, x.Recipient))
		}
	}
	return out
}

// InvalidFrom is when consents of this control stopped counting (CON-06), if they did.
func (u UI) InvalidFrom() (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, u.InvalidatedFrom)
	return t.UTC(), err == nil
}

// Invalid gives the invalidated controls, by version.
func (c *Config) Invalid() map[string]time.Time {
	out := map[string]time.Time{}
	for _, u := range c.UI {
		if t, ok := u.InvalidFrom(); ok {
			out[u.Version] = t
		}
	}
	return out
}

var window = regexp.MustCompile(`^(.+)_([0-9]+)d$`)

// Windowed splits a column of the night into the feature and the days that it
// looks back, 0 for one without a window of its own.
func Windowed(column string) (feature string, days int) {
	m := window.FindStringSubmatch(column)
	if m == nil {
		return column, 0
	}
	days, _ = strconv.Atoi(m[2])
	return m[1], days
}

// Date reads a date of the register; ok is false if it is none.
func Date(s string) (t time.Time, ok bool) {
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil
}

// sqlWords are the words of a segment's condition that name no column.
var sqlWords = []string{
	"abs", "and", "as", "between", "bigint", "boolean", "case", "cast", "coalesce", "double", "else", "end", "false", "greatest", "if", "in",
	"integer", "is", "least", "not", "null", "nullif", "or", "sign", "then", "true", "try_cast", "varchar", "when",
}

// Columns are the night's columns that the segment's condition reads.
func (s Segment) Columns() []string {
	return slices.DeleteFunc(s.Features(), func(w string) bool { return slices.Contains(sqlWords, w) })
}
