package config_test

import (
	"strings"
	"testing"

	"github.com/handschlag/handschlag/config"
)

// EXP-02 is for e-mail alone, and only with all that it asks of a shop.
func TestWhatAChannelMayNotPromise(t *testing.T) {
	const all = "{on: true, goods: [running], notice_at_order: order-form-9, notice_in_mail: true}"
	channel := func(purpose, more string) string {
		return "exports: {channels: [{name: a, purpose: " + purpose + ", recipient: mail provider, role: processor, " + more + "}]}"
	}
	if _, err := config.Parse([]byte(channel("marketing_email", "double_opt_in: ours, fields: [segment, key], existing_customers: "+all))); err != nil {
		t.Errorf("an honest channel is refused: %v", err)
	}
	for name, c := range map[string]struct{ yaml, want string }{
		"a number without consent":  {channel("marketing_sms", "existing_customers: "+all), "EXP-02"},
		"goods of nobody":           {channel("marketing_email", "existing_customers: {on: true, notice_at_order: v9, notice_in_mail: true}"), "goods"},
		"no notice at the order":    {channel("marketing_email", "existing_customers: {on: true, goods: [a], notice_in_mail: true}"), "notice_at_order"},
		"notice in some mails":      {channel("marketing_email", "existing_customers: {on: true, goods: [a], notice_at_order: v9}"), "notice_in_mail"},
		"rows without a key":        {channel("marketing_email", "fields: [segment]"), "EXP-06"},
		"a field that is not there": {channel("marketing_email", "fields: [key, segment, email]"), "email"},
		"confirmed by nobody":       {channel("marketing_email", "double_opt_in: later"), "double_opt_in"},
	} {
		if _, err := config.Parse([]byte(c.yaml)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a problem with %q", name, err, c.want)
		}
	}
}
