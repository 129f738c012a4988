package consent

import (
	"slices"
	"strings"
	"time"
)

// List names one of the lists that stand beside the consent records (law.md 2.2,
// L10). Each is a stream of its own with its own retention.
type List string

// The lists.
const (
	ObjectionList   List = "objection"   // Art. 21, by scope
	RestrictionList List = "restriction" // Art. 18
	SuppressionList List = "suppression" // by channel; outlives erasure (EXP-03)
)

// The scopes of objections. An objection to what rests on a legitimate interest
// is LegitimateInterest followed by the purpose.
const (
	DirectMarketing    = "direct_marketing"
	Profiling          = "profiling"
	Tracking           = "tracking"
	LegitimateInterest = "li:"
)

// AllChannels suppresses every channel of direct marketing.
const AllChannels = "all"

// channels of direct marketing, by the purpose that each needs.
var channels = map[Purpose]string{
	MarketingEmail: "email", MarketingSMS: "sms", MarketingPush: "push", MarketingPhone: "phone", MarketingPost: "post", AdsThirdParty: "ads",
}

// Channel is the channel of direct marketing that a purpose is, or "".
func (p Purpose) Channel() string { return channels[p] }

// Profiles reports whether a purpose forms or uses a profile of a person.
func (p Purpose) Profiles() bool {
	switch p {
	case PersonalisationContent, AdviserAssist, PersonalisedPrice, AdsThirdParty, ModelTraining:
		return true
	}
	return false
}

// ObjectionScope reports whether an objection may have the scope.
func ObjectionScope(scope string) bool {
	switch scope {
	case DirectMarketing, Profiling, Tracking:
		return true
	}
	p, li := strings.CutPrefix(scope, LegitimateInterest)
	return li && Purpose(p).Known() && !Purpose(p).Gated()
}

// SuppressedChannel reports whether a suppression may name the channel.
func SuppressedChannel(channel string) bool {
	for _, c := range channels {
		if c == channel {
			return true
		}
	}
	return channel == AllChannels
}

// Entry is one line of a list: something was put on it or taken off.
type Entry struct {
	List    List      `json:"list"`
	Scope   string    `json:"scope,omitempty"` // of an objection; the channel of a suppression
	On      bool      `json:"on"`
	At      time.Time `json:"at"`
	Version uint64    `json:"version"` // of the subject's state: records and entries share one order
}

// Note folds an entry in, as Apply does a record. Records and entries of a subject
// folded in the order of their versions give its state.
func (s State) Note(e Entry) State {
	s.Version = e.Version
	switch e.List {
	case ObjectionList:
		s.Objections = without(s.Objections, e.Scope)
		if e.Scope == DirectMarketing {
			s.Objections = slices.DeleteFunc(s.Objections, narrowed)
		}
		if e.On {
			s.Objections = with(s.Objections, e.Scope)
		}
	case RestrictionList:
		s.Restricted = e.On
	case SuppressionList:
		s.Suppressed = without(s.Suppressed, e.Scope)
		if e.On {
			s.Suppressed = with(s.Suppressed, e.Scope)
		}
	}
	return s
}

// Retold is the state at any moment t, from a subject's records and its list
// entries, each in version order. What Fold is for records alone, Retold is for
// all that a state is made of.
func Retold(records []Record, entries []Entry, t time.Time) State {
	var s State
	for len(records)+len(entries) > 0 {
		if len(entries) == 0 || len(records) > 0 && records[0].Version < entries[0].Version {
			if records[0].Event.Time.After(t) {
				return s
			}
			s, records = s.Apply(records[0]), records[1:]
			continue
		}
		if entries[0].At.After(t) {
			return s
		}
		s, entries = s.Note(entries[0]), entries[1:]
	}
	return s
}

// Outdated gives those of a subject's entries, in version order, that nobody needs:
// a later entry of the same list and scope replaced them, and they are older than so
// many years, counted to the end of the year. What stands stays as long as its subject (law.md
// 2.6, L10).
func Outdated(entries []Entry, years int, asOf time.Time) (gone []Entry) {
	last := map[[2]string]Entry{}
	for _, e := range entries {
		at := [2]string{string(e.List), e.Scope}
		if was, replaced := last[at]; replaced && was.At.Year()+years < asOf.Year() {
			gone = append(gone, was)
		}
		last[at] = e
	}
	return gone
}

// Listed reports whether the state already says what an entry would make it say.
func (s State) Listed(list List, scope string) bool {
	switch list {
	case ObjectionList:
		return slices.Contains(s.Objections, scope)
	case SuppressionList:
		return slices.Contains(s.Suppressed, scope)
	}
	return s.Restricted
}

// Objected reports whether an objection in force stops a purpose (RGT-07). It outranks a
// grant (SIG-04). What rests on consent alone an objection to tracking leaves as
// it is: that one is against legitimate interests (SIG-03).
func (s State) Objected(p Purpose) bool {
	for _, o := range s.Objections {
		switch {
		case o == DirectMarketing && p.Channel() != "", o == Profiling && p.Profiles(),
			o == DirectMarketing+":"+string(p), o == LegitimateInterest+string(p):
			return true
		}
	}
	return false
}

// SuppressedFor reports whether the suppression list closes a purpose's channel.
// No grant opens it again (SIG-04).
func (s State) SuppressedFor(p Purpose) bool {
	c := p.Channel()
	return c != "" && (slices.Contains(s.Suppressed, c) || slices.Contains(s.Suppressed, AllChannels))
}

// Outliving are the channels that an erasure closes for good: an objection to
// direct marketing that stands then goes onto the suppression list, lest an
// address that is imported again be written to (EXP-03).
func (s State) Outliving() (out []string) {
	for _, o := range s.Objections {
		switch {
		case o == DirectMarketing:
			return []string{AllChannels}
		case narrowed(o):
			out = append(out, Purpose(strings.TrimPrefix(o, DirectMarketing+":")).Channel())
		}
	}
	return out
}

// lifted is what is left of the objections after a record: a later yes to one
// channel by itself lifts the objection to direct marketing for that channel (T16).
// A yes to everything at once does not, and no suppression is ever lifted.
func (s State) lifted(r Record) []string {
	if !specific(r) {
		return s.Objections
	}
	left := s.Objections
	for _, c := range r.Purposes {
		if !c.Status.Valid() || c.Purpose.Channel() == "" {
			continue
		}
		if slices.Contains(left, DirectMarketing) {
			left = without(left, DirectMarketing)
			for p := range channels {
				left = with(left, DirectMarketing+":"+string(p))
			}
		}
		left = without(left, DirectMarketing+":"+string(c.Purpose))
	}
	return left
}

// specific reports a choice made purpose by purpose.
func specific(r Record) bool {
	switch r.Event.Method {
	case "save", "individual_notice":
		return true
	case "accept":
		return len(r.PurposesShown) == 1
	}
	return false
}

func narrowed(scope string) bool { return strings.HasPrefix(scope, DirectMarketing+":") }

// with and without never change the list they are given: states are shared.
func with(all []string, one string) []string {
	if slices.Contains(all, one) {
		return all
	}
	all = append(slices.Clone(all), one)
	slices.Sort(all)
	return all
}

func without(all []string, one string) []string {
	var left []string
	for _, s := range all {
		if s != one {
			left = append(left, s)
		}
	}
	return left
}
