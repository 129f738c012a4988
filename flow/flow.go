package flow

import (
	"context"
	"errors"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/policy"
	"github.com/handschlag/handschlag/price"
)

// Flow takes calls through the shop. It is safe for concurrent use.
type Flow struct {
	cfg   *config.Config
	host  Host
	desk  Desk
	clock func() time.Time
}

var errNotBuilt = errors.New("not built yet")

// New loads the rules of the named entry points (none = all), keeps their
// documents with the host, and gives a Flow over it.
func New(ctx context.Context, cfg *config.Config, host Host, desk Desk, clock func() time.Time, binary string, entries ...policy.Entry) (*Flow, error) {
	return nil, errNotBuilt
}

func (f *Flow) Ingest(ctx context.Context, env event.Envelope, c Caller) (IngestAnswer, error) {
	return IngestAnswer{}, errNotBuilt
}
func (f *Flow) Consent(ctx context.Context, call ConsentCall, c Caller) (ConsentAnswer, error) {
	return ConsentAnswer{}, errNotBuilt
}
func (f *Flow) ConsentState(ctx context.Context, call StateCall, c Caller) (StateAnswer, error) {
	return StateAnswer{}, errNotBuilt
}
func (f *Flow) ConsentProof(ctx context.Context, recordID string, c Caller) (ProofAnswer, error) {
	return ProofAnswer{}, errNotBuilt
}
func (f *Flow) Escalate(ctx context.Context, call EscalateCall, c Caller) (EscalateAnswer, error) {
	return EscalateAnswer{}, errNotBuilt
}
func (f *Flow) Handover(ctx context.Context, call HandoverCall, c Caller) (HandoverAnswer, error) {
	return HandoverAnswer{}, errNotBuilt
}
func (f *Flow) Variant(ctx context.Context, call VariantCall, c Caller) (VariantAnswer, error) {
	return VariantAnswer{}, errNotBuilt
}
func (f *Flow) Price(ctx context.Context, quotes []price.Quote, c Caller) ([]PriceAnswer, error) {
	return nil, errNotBuilt
}
func (f *Flow) PutProducts(ctx context.Context, ps []event.Product, c Caller) (FeedAnswer, error) {
	return FeedAnswer{}, errNotBuilt
}
func (f *Flow) PutPrices(ctx context.Context, rows []price.Interval, c Caller) (FeedAnswer, error) {
	return FeedAnswer{}, errNotBuilt
}
func (f *Flow) Queue(ctx context.Context, c Caller) (QueueAnswer, error) {
	return QueueAnswer{}, errNotBuilt
}
func (f *Flow) Accept(ctx context.Context, contactID string, c Caller) (AcceptAnswer, error) {
	return AcceptAnswer{}, errNotBuilt
}
func (f *Flow) PutAdviser(ctx context.Context, call AdviserCall, c Caller) (Adviser, error) {
	return Adviser{}, errNotBuilt
}
func (f *Flow) Card(ctx context.Context, contactID string, c Caller) (CardAnswer, error) {
	return CardAnswer{}, errNotBuilt
}
func (f *Flow) Outcome(ctx context.Context, contactID string, call OutcomeCall, c Caller) (OutcomeAnswer, error) {
	return OutcomeAnswer{}, errNotBuilt
}
func (f *Flow) Decision(ctx context.Context, id string, c Caller) (DecisionAnswer, error) {
	return DecisionAnswer{}, errNotBuilt
}
func (f *Flow) SearchDecisions(ctx context.Context, q DecisionSearch, c Caller) (DecisionsAnswer, error) {
	return DecisionsAnswer{}, errNotBuilt
}
func (f *Flow) PutSwitch(ctx context.Context, name string, call SwitchCall, c Caller) (SwitchAnswer, error) {
	return SwitchAnswer{}, errNotBuilt
}
func (f *Flow) Stats(ctx context.Context, call StatsCall, c Caller) (StatsAnswer, error) {
	return StatsAnswer{}, errNotBuilt
}
func (f *Flow) Exports(ctx context.Context, c Caller) (ExportsAnswer, error) {
	return ExportsAnswer{}, errNotBuilt
}
func (f *Flow) ExportFile(ctx context.Context, date, file string, c Caller) (ExportBody, error) {
	return ExportBody{}, errNotBuilt
}

// Contact is the static way to a human that every answer carries, errors included.
func (f *Flow) Contact() config.Contact { return f.cfg.Contact }

// Ready says why the host cannot serve, or nil.
func (f *Flow) Ready(ctx context.Context) error { return f.host.Ready(ctx) }
