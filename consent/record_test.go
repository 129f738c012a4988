package consent

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

func TestEqualRecordsHaveEqualBytes(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	here, there := noon, noon.In(berlin)
	r, same := on(0, Analytics, Given), on(0, Analytics, Given)
	r.Event.ClientTime, same.Event.ClientTime = &here, &there
	same.Event.Time, same.Validity.From, same.Validity.Until = r.Event.Time.In(berlin), r.Validity.From.In(berlin), r.Validity.Until.In(berlin)
	a, err1 := r.Canonical()
	b, err2 := same.Canonical()
	if err1 != nil || err2 != nil || string(a) != string(b) {
		t.Fatalf("%v %v\n%s\n%s", err1, err2, a, b)
	}
	if same.Event.ClientTime.Location() != berlin {
		t.Error("Canonical changed the record")
	}
	var back Record
	if err := json.Unmarshal(a, &back); err != nil {
		t.Fatal(err)
	}
	if c, err := back.Canonical(); err != nil || string(c) != string(a) {
		t.Fatalf("%v\n%s\n%s", err, a, c)
	}
	same.Version++
	if c, err := same.Canonical(); err != nil || string(c) == string(a) {
		t.Fatal("another record has the same bytes")
	}
}

func TestATimeThatCannotBeWrittenIsAnError(t *testing.T) {
	r := on(0, Analytics, Given)
	r.Event.Time = time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC)
	if _, err := r.Canonical(); err == nil {
		t.Error("year 12026 was written")
	}
}

func TestOnlyGivenAndRenewedAreValid(t *testing.T) {
	for _, s := range []Status{"", Unknown, Requested, RequestDeferred, Refused, Expired, Invalidated, Revoked, Withdrawn, "GIVEN"} {
		if s.Valid() {
			t.Errorf("%q is valid", s)
		}
	}
	if !Given.Valid() || !Renewed.Valid() {
		t.Error("a yes is not valid")
	}
}

func TestSets(t *testing.T) {
	s := SetOf(AdviserAssist, Analytics, "world_peace", SpecialCategory("health"))
	if got := s.List(); !slices.Equal(got, []Purpose{Analytics, AdviserAssist, SpecialCategory("health")}) || s.Len() != 3 {
		t.Errorf("%v", got)
	}
	if !s.Has(Analytics) || s.Has(AdsThirdParty) || s.Has("world_peace") || Purpose("world_peace").Known() {
		t.Error("membership")
	}
	if all := SetOf(Purposes...); all.Len() != len(Purposes) || len(Purposes) > 64 {
		t.Errorf("%d purposes do not fit", len(Purposes))
	}
}

// TestTaxonomy holds the columns Basis and Scope of law.md 2.1.
func TestTaxonomy(t *testing.T) {
	type row struct {
		gated bool
		reach Reach
	}
	want := map[Purpose]row{
		EssentialService: {false, OnDevice}, FraudSecurity: {false, OnEither}, ConsentStorage: {false, OnDevice},
		Analytics: {true, OnDevice}, Experimentation: {true, OnDevice}, PersonalisationContent: {true, OnEither},
		ContentContextual: {false, OnEither}, AdviserAssist: {true, OnEither}, AdviserCase: {false, OnEither},
		RecordingAV: {true, OnEither}, PersonalisedPrice: {true, OnAccount}, MarketingEmail: {true, OnAccount},
		MarketingSMS: {true, OnAccount}, MarketingPush: {true, OnAccount}, MarketingPhone: {true, OnAccount},
		MarketingPost: {false, OnAccount}, AdsThirdParty: {true, OnEither}, DataSharing: {true, OnEither}, ModelTraining: {true, OnEither},
	}
	for _, p := range Purposes {
		if p.Special() {
			want[p] = row{true, OnEither}
		}
		if got := (row{p.Gated(), p.Reach()}); got != want[p] {
			t.Errorf("%s: %+v, want %+v", p, got, want[p])
		}
	}
	if Purpose("world_peace").Gated() {
		t.Error("an unknown purpose takes grants")
	}
}
