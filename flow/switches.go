package flow

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/handschlag/handschlag/decide"
)

// The kill switches.
const (
	SwitchOffers       = "offers"
	SwitchVariants     = "variants"
	SwitchIngest       = "ingest"
	SwitchExports      = "exports"
	SwitchPersonalised = "personalised_prices"
)

// SwitchNames lists the kill switches.
var SwitchNames = []string{SwitchOffers, SwitchVariants, SwitchIngest, SwitchExports, SwitchPersonalised}

// SwitchCall turns a kill switch.
type SwitchCall struct {
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

// SwitchAnswer is the switch as it stands, and the decision that records it.
type SwitchAnswer struct {
	Switch
	DecisionID string `json:"decision_id"`
}

// PutSwitch turns a kill switch; it binds the next decision. Off takes effect
// before it is recorded, on is recorded before it takes effect.
func (f *Flow) PutSwitch(ctx context.Context, name string, call SwitchCall, c Caller) (SwitchAnswer, error) {
	who, err := c.staff(RoleDPO, RoleOps)
	if err != nil {
		return SwitchAnswer{}, err
	}
	if !slices.Contains(SwitchNames, name) {
		return SwitchAnswer{}, missing("switch_unknown", "name: want one of %v", SwitchNames)
	}
	call.Reason = strings.TrimSpace(call.Reason)
	if n := utf8.RuneCountInString(call.Reason); n == 0 || n > 500 {
		return SwitchAnswer{}, invalid("reason", "want 1 to 500 characters")
	}
	s := Switch{Name: name, On: call.On, Reason: call.Reason, By: who.actor(), At: f.now()}
	put := func() error { return f.host.PutSwitch(ctx, s) }
	var id string
	note := func() error { id, err = f.noteSwitch(ctx, s); return err }
	steps := []func() error{put, note}
	if s.On {
		slices.Reverse(steps)
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return SwitchAnswer{}, unavailable("turning a switch", err)
		}
	}
	return SwitchAnswer{Switch: s, DecisionID: id}, nil
}

func (f *Flow) noteSwitch(ctx context.Context, s Switch) (string, error) {
	r, err := f.staffRecord(s.At, decide.ActionSwitch, s.By,
		map[string]any{"name": s.Name, "on": s.On, "reason": s.Reason}, map[string]any{"on": s.On})
	if err != nil {
		return "", err
	}
	return r.ID, f.decided(ctx, &r)
}
