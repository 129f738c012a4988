package segment

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent/ledger"
)

// How old what a night rests on may be: the snapshot of the ledger when the night
// begins (BAT-05), the last reading of consent when its files appear (EXP-06).
const (
	snapshotFor = time.Hour
	readingFor  = 15 * time.Minute
	filesFor    = 48 * time.Hour // then no row leaves any more (EXP-06)
)

// Pinned is the state of the consent ledger that a night used (BAT-05).
type Pinned struct {
	Origin string    `json:"origin"`
	Size   int64     `json:"size"`
	Root   string    `json:"root"`
	Time   time.Time `json:"time"` // when the snapshot was taken of it
}

// now is the time by the caller's clock; without one, no time passes after the snapshot.
func (n *night) now() time.Time {
	if n.in.Now == nil {
		return n.snap.Taken.UTC()
	}
	return n.in.Now().UTC()
}

// pin names the ledger that the night rests on (BAT-05). It refuses a snapshot that
// is old, or that the ledger's key did not sign.
func (n *night) pin() error {
	if age := n.now().Sub(n.snap.Taken); age > snapshotFor {
		return fmt.Errorf("BAT-05: the snapshot is %s old, more than %s", age.Round(time.Second), snapshotFor)
	}
	if n.in.LedgerKey != "" {
		if _, err := ledger.OpenCheckpoint(n.in.LedgerKey, []byte(n.snap.Checkpoint)); err != nil {
			return fmt.Errorf("BAT-05: the snapshot's ledger does not verify: %w", err)
		}
	}
	lines := strings.SplitN(n.snap.Checkpoint, "\n", 4)
	if len(lines) < 4 {
		return errors.New("BAT-05: the snapshot names no state of the ledger")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return fmt.Errorf("BAT-05: the snapshot names no state of the ledger: %w", err)
	}
	n.pinned = Pinned{Origin: lines[0], Size: size, Root: lines[2], Time: n.snap.Taken.UTC()}
	return nil
}

// ahead refuses a snapshot that knows less than the night before (BAT-05): better no
// segments than those of somebody who has withdrawn.
func (n *night) ahead() error {
	dir, last, err := newest(n.in.Out, "9999-99-99")
	if err != nil || dir == "" {
		return err
	}
	if last.Ledger.Origin == n.pinned.Origin && last.Ledger.Size > n.pinned.Size {
		return fmt.Errorf("BAT-05: the snapshot's ledger ends at leaf %d, but the night of %s knew %d: it is behind", n.pinned.Size, filepath.Base(dir), last.Ledger.Size)
	}
	return nil
}

// notBehind refuses a second reading that knows less of somebody than the first:
// a withdrawal may be what it does not know (BAT-05). Who is gone from it was erased.
func (n *night) notBehind(ctx context.Context) error {
	var behind int64
	query := `select count(*) from (select subject, max(version) as version from standings_before group by subject) as b
		join (select subject, max(version) as version from standings group by subject) as s using (subject)
		where s.version < b.version`
	if err := n.db.one(ctx, query, &behind); err != nil {
		return fmt.Errorf("comparing two readings of consent: %w", err)
	}
	if behind > 0 {
		return fmt.Errorf("BAT-05: consent was read again, and %d subjects stand further back than before", behind)
	}
	return nil
}

// stillFresh refuses to show files whose consents were read too long ago (EXP-06).
func (n *night) stillFresh() error {
	if age := n.now().Sub(n.read); age > readingFor {
		return fmt.Errorf("EXP-06: consent was read %s ago, more than %s", age.Round(time.Second), readingFor)
	}
	return nil
}

// reloadLinks reads the links again, where the host writes them with the standings.
func (n *night) reloadLinks(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "links.parquet")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return n.fromParquet(ctx, dir, "links")
}
