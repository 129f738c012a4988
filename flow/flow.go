package flow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/decide"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/profile"
)

// Flow takes calls through the shop. It is safe for concurrent use.
//
// Every method reads the clock once. An error is a *Fault.
type Flow struct {
	cfg  *config.Config
	host Host
	desk Desk

	foresight Foresight // the host's, if it has any

	clock   func() time.Time
	binary  string // version of this binary, for decision records
	rules   *policy.Rules
	keys    *keyring
	zone    *time.Location
	invalid consent.Invalidations // controls whose consents stopped counting (CON-06)

	shelf  atomic.Pointer[shelf]     // the catalogue as last read
	night  atomic.Pointer[published] // the night's publication as last read
	papers atomic.Pointer[papers]    // what the register lets run, as last judged
	kept   sync.Map                  // digests of documents that the host has
	cases  pending
	clicks [64]sync.Mutex // one hand-over at a time per token
}

// New loads the rules of the named entry points (none = all), keeps their
// documents with the host, and gives a Flow over it. binary is the version that
// decision records name.
func New(ctx context.Context, cfg *config.Config, host Host, desk Desk, clock func() time.Time, binary string, entries ...policy.Entry) (*Flow, error) {
	if len(entries) > 0 { // no entry answers for a purpose that may not run
		entries = append(slices.Clone(entries), policy.EntryProcessing)
	}
	rules, err := policy.Load(ctx, cfg.PolicySettings(), entries...)
	if err != nil {
		return nil, fmt.Errorf("loading rules: %w", err)
	}
	return NewUnder(ctx, rules, cfg, host, desk, clock, binary)
}

// NewUnder is New under rules that are loaded already: those of an installed
// bundle. They must be loaded with the configuration's own settings.
func NewUnder(ctx context.Context, rules *policy.Rules, cfg *config.Config, host Host, desk Desk, clock func() time.Time, binary string) (*Flow, error) {
	keys, err := newKeyring(host.Keys())
	if err != nil {
		return nil, err
	}
	f := &Flow{
		cfg: cfg, host: host, desk: desk, clock: clock, binary: binary, rules: rules, keys: keys,
		zone: cfg.Location(), invalid: cfg.Invalid(),
	}
	f.foresight, _ = host.(Foresight)
	if _, err := f.registered(ctx); err != nil {
		return nil, err
	}
	if err := f.keepRules(ctx); err != nil {
		return nil, err
	}
	return f, nil
}

// keepRules stores what every decision record will name by digest.
func (f *Flow) keepRules(ctx context.Context) error {
	for digest, body := range f.rules.Documents() {
		if err := f.keep(ctx, digest, func() ([]byte, error) { return body, nil }); err != nil {
			return err
		}
	}
	return f.keep(ctx, f.rules.Digests().Config, func() ([]byte, error) { return f.cfg.Document(), nil })
}

// keep stores a document once per process.
func (f *Flow) keep(ctx context.Context, digest string, body func() ([]byte, error)) error {
	if _, ok := f.kept.Load(digest); ok {
		return nil
	}
	b, err := body()
	if err != nil {
		return fmt.Errorf("writing document: %w", err)
	}
	if err := f.host.PutDocument(ctx, digest, b); err != nil {
		return fmt.Errorf("keeping document: %w", err)
	}
	f.kept.Store(digest, struct{}{})
	return nil
}

// Contact is the static way to a human that every answer carries, errors included.
func (f *Flow) Contact() config.Contact { return f.cfg.Contact }

// Ready says why the host cannot serve, or nil.
func (f *Flow) Ready(ctx context.Context) error { return f.host.Ready(ctx) }

// now reads the clock. Milliseconds are what events keep, so that a grant and an
// event can be compared.
func (f *Flow) now() time.Time { return f.clock().UTC().Truncate(time.Millisecond) }

// on reports whether a switch is on; it binds the very next decision, so it is
// read from the host every time.
func (f *Flow) on(ctx context.Context, name string) (bool, error) {
	all, err := f.host.AllSwitches(ctx)
	if err != nil {
		return false, unavailable("reading switches", err)
	}
	s, set := all[name]
	return !set || s.On, nil
}

// shelf is the catalogue as of a version.
type shelf struct {
	version uint64
	event.Catalogue
}

// catalogue gives the products as last imported.
func (f *Flow) catalogue(ctx context.Context) (event.Catalogue, error) {
	v, err := f.host.ProductsVersion(ctx)
	if err != nil {
		return nil, unavailable("reading catalogue version", err)
	}
	if s := f.shelf.Load(); s != nil && s.version == v {
		return s, nil
	}
	ps, err := f.host.AllProducts(ctx)
	if err != nil {
		return nil, unavailable("reading catalogue", err)
	}
	s := &shelf{version: v, Catalogue: event.NewCatalogue(ps, f.cfg.CategoryTags())}
	f.shelf.Store(s)
	return s, nil
}

// published is a night's publication with what decisions need of it.
type published struct {
	Publication
	scorecard       decide.Scorecard
	scorecardDigest string
	refused         error             // why the night's scorecard is not used; nil if it is, or there is none
	gain            *decide.Scorecard // nil: what an offer gains is not known
	gainDigest      string
	features        []string // that offers look at: what is scored, and what nights learn from
	weightsDigest   string   // "" before a night published weights
}

// is reports whether this is what was read, without reading all of it.
func (p *published) is(pub Publication) bool {
	version := func(s *decide.Scorecard) string {
		if s == nil {
			return ""
		}
		return s.Version
	}
	return p.Run == pub.Run && p.AsOf.Equal(pub.AsOf) && p.Weights.Version == pub.Weights.Version &&
		version(p.Scorecard) == version(pub.Scorecard) && version(p.Gain) == version(pub.Gain)
}

// publication gives what the last night published, and keeps the scorecard and
// the weights where decision records can name them. A scorecard that was fitted on
// other features than the day computes is not used: the configured one is.
func (f *Flow) publication(ctx context.Context) (*published, error) {
	pub, err := f.host.Published(ctx)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, unavailable("reading the night's publication", err)
	}
	if p := f.night.Load(); p != nil && p.is(pub) {
		return p, nil
	}
	p := &published{Publication: pub, scorecard: f.cfg.Scorecard}
	if pub.Scorecard != nil {
		if p.refused = pub.Scorecard.Fits(profile.CatalogueVersion()); p.refused == nil {
			p.scorecard = *pub.Scorecard
		}
	}
	if pub.Gain != nil && pub.Gain.Fits(profile.CatalogueVersion()) == nil {
		p.gain, p.gainDigest = pub.Gain, pub.Gain.Digest()
	}
	p.features = featuresOf(f.cfg.Scorecard, p.scorecard, p.gain)
	p.scorecardDigest = p.scorecard.Digest()
	err = f.keep(ctx, p.scorecardDigest, func() ([]byte, error) { return decide.Canonical(p.scorecard) })
	if err == nil && p.gain != nil {
		err = f.keep(ctx, p.gainDigest, func() ([]byte, error) { return decide.Canonical(p.gain) })
	}
	if err == nil && len(pub.Weights.Slots) > 0 {
		p.weightsDigest = pub.Weights.Digest()
		err = f.keep(ctx, p.weightsDigest, func() ([]byte, error) { return decide.Canonical(pub.Weights) })
	}
	if err != nil {
		return nil, unavailable("keeping what decisions name", err)
	}
	f.night.Store(p)
	return p, nil
}

// OfferFeatures names what offers look at before a night published anything.
func OfferFeatures(cfg *config.Config) []string {
	return featuresOf(cfg.Scorecard, decide.Scorecard{}, nil)
}

// featuresOf names what offers look at, each once: the features of the scorecards and
// those of the configured one, from which nights learn.
func featuresOf(configured, scorecard decide.Scorecard, gain *decide.Scorecard) (names []string) {
	cards := []decide.Scorecard{configured, scorecard}
	if gain != nil {
		cards = append(cards, *gain)
	}
	names = slices.Clone(ladderFeatures)
	for _, card := range cards {
		for _, x := range card.Features {
			names = append(names, x.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
