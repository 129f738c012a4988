package segment

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/batch/learn/cluster"
)

// groupsFile holds last night's groups, so that a label means the same tonight. Only
// groups of at least k are in it.
const groupsFile = "micro.json"

// keptGroups is groupsFile.
type keptGroups struct {
	Groups []keptGroup `json:"groups"`
	Sum    string      `json:"sum"` // SHA-256 of this file with an empty sum
}

// keptGroup is the middle of one group, log(1+x) of days, orders, cents.
type keptGroup struct {
	Label  int        `json:"label"`
	Centre [3]float64 `json:"centre"`
}

// within gives the centres by label in tonight's standard units; nil for labels that
// nobody bore.
func (k keptGroups) within(s cluster.Scale, labels int) [][]float64 {
	out := make([][]float64, labels)
	for _, g := range k.Groups {
		if g.Label >= 1 && g.Label <= labels {
			out[g.Label-1] = s.Apply(g.Centre[:])
		}
	}
	return out
}

func (k keptGroups) seal() ([]byte, error) {
	return withSum(&k.Sum, func() ([]byte, error) { return json.MarshalIndent(k, "", "  ") })
}

// readGroups gives none where there was no night with groups before.
func readGroups(dir string) (k keptGroups, err error) {
	body, err := os.ReadFile(filepath.Join(dir, groupsFile))
	if errors.Is(err, os.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("reading last night's groups: %w", err)
	}
	if err := json.Unmarshal(body, &k); err != nil {
		return k, damaged(groupsFile, "cannot be read")
	}
	if whole, err := k.seal(); err != nil || !bytes.Equal(whole, body) {
		return k, damaged(groupsFile, "does not have the SHA-256 that it says")
	}
	return k, nil
}

// keepGroups remembers tonight's groups. Without any, last night's stay.
func (n *night) keepGroups() error {
	var k keptGroups
	for label := 1; label <= len(n.micro); label++ {
		for _, g := range n.micro {
			if g.label == label {
				k.Groups = append(k.Groups, keptGroup{label, [3]float64(g.centre)})
			}
		}
	}
	if len(k.Groups) == 0 {
		return nil
	}
	body, err := k.seal()
	if err == nil {
		err = replaceFile(filepath.Join(n.in.State, groupsFile), body, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping the groups of buyers: %w", err)
	}
	return nil
}

// MicroSegment is a group of buyers in the report.
type MicroSegment struct {
	Label   int    `json:"micro_segment"` // value of the column micro_segment
	Name    Words  `json:"name"`          // what its members have more or less of than all buyers
	Persons *int64 `json:"persons"`
	Days    int64  `json:"days_since_order"` // of the middle, as orders and money
	Orders  int64  `json:"orders"`
	Cents   int64  `json:"cents"`
}

// tellGroups lists the groups in the order of their labels.
func (n *night) tellGroups(ctx context.Context) error {
	n.report.Micro = []MicroSegment{}
	for label := 1; label <= len(n.micro); label++ {
		for _, g := range n.micro {
			if g.label != label {
				continue
			}
			m := MicroSegment{Label: label, Name: g.name(), Persons: new(int64)}
			if err := n.db.one(ctx, fmt.Sprintf("select count(*) from micro where micro_segment = %d", label), m.Persons); err != nil {
				return fmt.Errorf("counting groups of buyers: %w", err)
			}
			for j, into := range []*int64{&m.Days, &m.Orders, &m.Cents} {
				*into = int64(math.Round(math.Expm1(g.centre[j])))
			}
			n.report.Micro = append(n.report.Micro, m)
		}
	}
	return nil
}
