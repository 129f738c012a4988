package segment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// leftovers are the files that hold personal data outside of what is kept from night to night.
func leftovers(t *testing.T, in Inputs) (left []string) {
	t.Helper()
	for name := range tree(t, in.Out) {
		if strings.Contains(name, tmpRun) || strings.Contains(name, crmFolder+string(filepath.Separator)) {
			left = append(left, name)
		}
	}
	for _, name := range []string{"spill", "fresh"} {
		if _, err := os.Stat(filepath.Join(in.State, name)); !errors.Is(err, os.ErrNotExist) {
			left = append(left, name)
		}
	}
	return left
}

// TestAFailedNightLeavesNoAddress: the rows and the CRM's addresses were written, and then
// they could not be recorded, or consent was read too long ago.
func TestAFailedNightLeavesNoAddress(t *testing.T) {
	s := crmShop(t)
	in := s.joining(monday.AddDate(0, 0, 1), crmFile(t, crmRows()))
	written := 0
	in.Commit = func(context.Context, []decide.Record) error {
		for name, body := range tree(t, in.Out) {
			if strings.HasSuffix(name, "email.csv") && strings.Contains(body, mailOf(6)) {
				written++
			}
		}
		return errors.New("the disk is full")
	}
	if _, err := Run(t.Context(), in); err == nil || !strings.Contains(err.Error(), "the disk is full") || written != 1 {
		t.Fatalf("%v, addresses in %d files meanwhile", err, written)
	}
	if left := leftovers(t, in); len(left) > 0 {
		t.Errorf("after a night that could not record: %v", left)
	}
	at := in.AsOf.Add(time.Hour)
	in.Now = func() time.Time { at = at.Add(16 * time.Minute); return at }
	if _, err := Run(t.Context(), in); err == nil || !strings.Contains(err.Error(), "EXP-06") {
		t.Fatalf("got %v", err)
	}
	if left := leftovers(t, in); len(left) > 0 {
		t.Errorf("after a stale night: %v", left)
	}
}

// TestARefusedNightClearsWhatAKilledOneLeft, though it does nothing else.
func TestARefusedNightClearsWhatAKilledOneLeft(t *testing.T) {
	s := newShop(t)
	s.everyday(60, 1)
	in := s.night(monday.AddDate(0, 0, 1))
	s.run(in)
	published := tree(t, in.Out)
	for _, path := range []string{
		filepath.Join(in.Out, "2026-11-04"+tmpRun, crmFolder, "email.csv"), filepath.Join(in.Out, "2026-10-31"+tmpRun, "lookers.email.csv"),
		filepath.Join(in.State, "fresh", "subjects.parquet"), filepath.Join(in.State, "spill", "windows", "0.parquet"),
	} {
		s.mkdir(filepath.Dir(path))
		s.write(path, []byte("private-0001@home.example"))
	}
	in.Now = func() time.Time { return in.AsOf.Add(3 * time.Hour) } // the snapshot is two hours old
	if _, err := Run(t.Context(), in); err == nil || !strings.Contains(err.Error(), "BAT-05") {
		t.Fatalf("got %v", err)
	}
	if left := leftovers(t, in); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	sameTree(t, "what was published", published, tree(t, in.Out))
}

// TestANightWithoutFoldersClearsNothing: their names would be taken from where it stands.
func TestANightWithoutFoldersClearsNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("spill", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), Inputs{}); err == nil {
		t.Error("a night without folders began")
	}
	if _, err := os.Stat("spill"); err != nil {
		t.Errorf("a folder that is not the night's: %v", err)
	}
}
