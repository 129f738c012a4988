package profile_test

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/profile"
)

// TestMembersGiveBackWhatWasAdded: whatever memberships share or differ in, each subject
// has its own again.
func TestMembersGiveBackWhatWasAdded(t *testing.T) {
	day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	name := rapid.SampledFrom([]string{"a", "b", "a b", `a" "b`, "", "1"})
	rapid.Check(t, func(t *rapid.T) {
		want, got := map[consent.Subject]profile.Membership{}, &profile.Members{}
		for n := range rapid.IntRange(0, 40).Draw(t, "subjects") {
			s, m := consent.Subject{byte(n)}, profile.Membership{
				Segments: rapid.SliceOfN(name, 0, 3).Draw(t, "segments"), ValueTier: rapid.IntRange(0, 2).Draw(t, "tier"),
				Purpose: rapid.SampledFrom([]consent.Purpose{consent.PersonalisationContent, consent.Analytics}).Draw(t, "purpose"),
				AsOf:    day.AddDate(0, 0, rapid.IntRange(0, 1).Draw(t, "as of")), Until: day.AddDate(0, 1, rapid.IntRange(0, 1).Draw(t, "until")),
			}
			want[s] = m
			got.Add(s, m)
			if rapid.Bool().Draw(t, "one more alike") {
				like := consent.Subject{byte(n), 1}
				want[like] = m
				got.AddAlike(like, got.Last())
			}
		}
		if found := maps.Collect(got.All()); got.Len() != len(want) || len(want) > 0 && !reflect.DeepEqual(found, want) {
			t.Fatalf("got %v, want %v", found, want)
		}
		place := 0
		for chunk := range got.Chunks(7) {
			for s, m := range chunk.All() {
				at, is := got.At(place)
				if place++; s != at || !reflect.DeepEqual(m, is) || chunk.Len() > 7 {
					t.Fatalf("place %d in a chunk of %d: %v %v, want %v %v", place-1, chunk.Len(), s, m, at, is)
				}
			}
		}
		if place != got.Len() {
			t.Fatalf("chunks hold %d of %d", place, got.Len())
		}
	})
}

// TestMembersKeepTheirOrder, and nobody is nobody.
func TestMembersKeepTheirOrder(t *testing.T) {
	var none *profile.Members
	for s := range none.All() {
		t.Errorf("nobody has subject %v", s)
	}
	m := &profile.Members{}
	for _, b := range []byte{3, 1, 2} {
		m.Add(consent.Subject{b}, profile.Membership{ValueTier: int(b)})
	}
	got := []byte{}
	for s, is := range m.All() {
		if got = append(got, s[0]); is.ValueTier != int(s[0]) {
			t.Errorf("%v has %v", s, is)
		}
		if len(got) == 2 {
			break
		}
	}
	if none.Len() != 0 || string(got) != "\x03\x01" {
		t.Errorf("%d, order %v", none.Len(), got)
	}
}
