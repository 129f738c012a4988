package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"

	"github.com/handschlag/handschlag/consent"
)

// FeatureInfo documents one feature.
type FeatureInfo struct {
	Name       string            `json:"name"`
	Unit       string            `json:"unit"`
	Family     string            `json:"family"` // search | time | pace | product | basket | checkout | offers
	De         string            `json:"de"`
	En         string            `json:"en"`
	Definition string            `json:"definition"`
	Purposes   []consent.Purpose `json:"purposes"`
	Tags       []string          `json:"tags"` // what it tells of a person (SPC-04, SPC-07); the shop may add tags
}

// Catalogue documents every feature, in the order of families. A feature that is
// not in it does not exist (LAW-05): Features reads from the same list.
func Catalogue() []FeatureInfo {
	out := make([]FeatureInfo, len(catalogue))
	for i, f := range catalogue {
		out[i] = FeatureInfo{
			Name: f.name, Unit: f.unit, Family: f.family.String(), De: f.de, En: f.en, Definition: f.definition,
			Tags: slices.Clone(tagsOf[f.family.String()]),
		}
		for j, p := range Purposes {
			if familiesOf[j].allow(f) {
				out[i].Purposes = append(out[i].Purposes, p)
			}
		}
	}
	return out
}

// CatalogueVersion is the digest of what the features mean: their names, units,
// definitions and the purposes that may use each, 16 hex digits. What was learned on
// the features of another version must not judge these. Words and tags do not count.
func CatalogueVersion() string { return catalogueVersion() }

var catalogueVersion = sync.OnceValue(func() string { return versionOf(Catalogue()) })

func versionOf(features []FeatureInfo) string {
	h := sha256.New()
	for _, f := range features {
		fmt.Fprintf(h, "%q %q %q %q\n", f.Name, f.Unit, f.Definition, f.Purposes)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

// tagsOf names what the features of a family tell of a person. None is a proxy or
// a weakness: the rules refuse those (SPC-04, SPC-07).
var tagsOf = map[string][]string{
	"search": {"interest"}, "time": {"visit_time"}, "pace": {"visit_pace"}, "product": {"interest"}, "basket": {"intent"},
	"checkout": {"intent"}, "offers": {"service"},
}

// families is a set of feature families.
type families uint8

const (
	forSearch families = 1 << iota
	forTime
	forPace
	forProduct
	forBasket
	forCheckout
	forOffers
	forDetail // with a family: also what needs search keys or variants
)

var familyNames = []string{"search", "time", "pace", "product", "basket", "checkout", "offers"}

// String names the first family of the set.
func (f families) String() string {
	for i, n := range familyNames {
		if f.has(1 << i) {
			return n
		}
	}
	return ""
}

func (f families) has(x families) bool { return f&x != 0 }

func (f families) allow(x feature) bool { return f&x.family == x.family }

// familiesOf says, for each of Purposes, which families it may use. Measuring use
// needs no offers, and neither search keys nor variants (its events do not keep
// them); choosing content needs neither how hurried a visitor is nor what went
// wrong at the checkout.
var familiesOf = [3]families{
	forSearch | forTime | forPace | forProduct | forBasket | forCheckout,
	forSearch | forTime | forProduct | forBasket | forDetail,
	forSearch | forTime | forPace | forProduct | forBasket | forCheckout | forOffers | forDetail,
}

func familiesFor(p consent.Purpose) families {
	if i := slices.Index(Purposes, p); i >= 0 {
		return familiesOf[i]
	}
	return 0
}

// feature is a catalogue entry with its reader.
type feature struct {
	name       string
	unit       string
	family     families // one, and forDetail for what needs search keys or variants
	de, en     string
	definition string
	read       func(r *reading) int64
}
