package ledger

import (
	"context"
	"errors"
	"testing"
)

// A head that was put back with an old copy of its table is never grown upon: that
// would be a second log under the same key. Adopt brings it forward again.
func TestAHeadThatWasPutBackIsAFaultAndNoFork(t *testing.T) {
	ctx, s := context.Background(), testSigner(t, "shop")
	m := testLedger(t, s, 300)
	back := m.blobs[headName]
	if _, _, err := Append(ctx, m, s, testLeaves(2, 9)); err != nil {
		t.Fatal(err)
	}
	now := m.blobs[checkpointName]
	for name, old := range map[string][]byte{"put back": back, "lost": nil} {
		x := m.copy()
		if x.blobs[headName] = old; old == nil {
			delete(x.blobs, headName)
		}
		before := x.copy()
		var fault *Fault
		_, _, err := Append(ctx, x, s, testLeaves(3, 40))
		if old != nil && !errors.As(err, &fault) || err == nil {
			t.Errorf("%s: want a fault, got %v", name, err)
		}
		for blob, body := range x.blobs {
			if string(before.blobs[blob]) != string(body) {
				t.Errorf("%s: blob %s was changed", name, blob)
			}
		}
		for _, changes := range []bool{true, false} { // the second finds nothing to do
			if changed, err := Adopt(ctx, x, s, now); err != nil || changed != changes {
				t.Fatalf("%s: changed %v, %v", name, changed, err)
			}
		}
		if first, _, err := Append(ctx, x, s, testLeaves(3, 40)); err != nil || first != 309 {
			t.Errorf("%s: got %d, %v", name, first, err)
		}
		if r, err := Verify(x.folder(), s.Public, now); err != nil || r.Size != 349 {
			t.Errorf("%s: got %d leaves, %v", name, r.Size, err)
		}
	}
}

// Of a checkpoint that was copied before a crash kept it from being published, the
// tiles are there: it is published then.
func TestAdoptPublishesACheckpointThatWasDecided(t *testing.T) {
	ctx, s := context.Background(), testSigner(t, "shop")
	m := testLedger(t, s, 20)
	back, published := m.blobs[headName], m.blobs[checkpointName]
	if _, _, err := Append(ctx, m, s, testLeaves(2, 9)); err != nil {
		t.Fatal(err)
	}
	decided := m.blobs[checkpointName]
	m.blobs[headName], m.blobs[checkpointName] = back, published
	m.left = 2 // power for one write
	if changed, err := Adopt(ctx, m, s, decided); err == nil || changed {
		t.Fatal("the power stayed")
	}
	m.restore()
	if changed, err := Adopt(ctx, m, s, decided); err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	if _, _, err := Append(ctx, m, s, testLeaves(4, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(m.folder(), s.Public, published, decided); err != nil {
		t.Error(err)
	}
}

func TestAdoptRefusesWhatIsNotTheLog(t *testing.T) {
	ctx, s := context.Background(), testSigner(t, "shop")
	m := testLedger(t, s, 20)
	other := testLedger(t, s, 3)
	if _, _, err := Append(ctx, other, s, testLeaves(7, 30)); err != nil {
		t.Fatal(err)
	}
	for name, note := range map[string][]byte{
		"a longer log under the same key": other.blobs[checkpointName],
		"an older one":                    testLedger(t, s, 5).blobs[checkpointName],
		"one of another key":              testLedger(t, testSigner(t, "another"), 20).blobs[checkpointName],
		"what is no checkpoint":           []byte("no\n"),
		"a changed one":                   append([]byte("x"), m.blobs[checkpointName]...),
	} {
		before := m.copy()
		if _, err := Adopt(ctx, m, s, note); err == nil {
			t.Errorf("%s was adopted", name)
		}
		for blob, body := range m.blobs {
			if string(before.blobs[blob]) != string(body) {
				t.Errorf("%s: blob %s was changed", name, blob)
			}
		}
	}
}
