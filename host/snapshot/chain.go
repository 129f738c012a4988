package snapshot

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/decide"
)

// ChainSeal is the content of a ledger leaf that says where a writer's chain of
// decisions stood, or, Dropped, up to where retention let go of it (OPS-01).
type ChainSeal struct {
	Schema  string    `json:"schema"` // decision-chain/1
	Writer  string    `json:"writer"`
	N       uint64    `json:"n"`
	Hash    string    `json:"hash"`
	Time    time.Time `json:"time"`
	Dropped bool      `json:"dropped,omitempty"`
}

// ChainSeals is one leaf for the chains of many writers, in the order of writers.
type ChainSeals struct {
	Schema string      `json:"schema"` // decision-chains/1
	Time   time.Time   `json:"time"`
	Chains []ChainSeal `json:"chains"` // without schema and time of their own
}

// The schemas of both.
const (
	ChainSchema  = "decision-chain/1"
	ChainsSchema = "decision-chains/1"
)

// readSeals gives what a leaf's content seals; nothing if it is about something else.
func readSeals(content []byte) []ChainSeal {
	var one ChainSeal
	if json.Unmarshal(content, &one) == nil && one.Schema == ChainSchema {
		return []ChainSeal{one}
	}
	var many ChainSeals
	if json.Unmarshal(content, &many) != nil || many.Schema != ChainsSchema {
		return nil
	}
	for i := range many.Chains {
		many.Chains[i].Time = many.Time
	}
	return many.Chains
}

// ChainReport says what a walk along the decision log found.
type ChainReport struct {
	Chains []*decide.Chain `json:"chains"`
	Sealed uint64          `json:"sealed"` // the last record that the ledger has a seal of; of many writers, how many records are sealed
	Seals  int             `json:"seals"`
	Breaks []*decide.Break `json:"breaks,omitempty"` // the first ones
	Broken int64           `json:"broken"`
}

// breaksShown bounds how many are named.
const breaksShown = 20

// ChainAudit is one walk along the decisions of all writers.
type ChainAudit struct {
	Report  ChainReport
	chains  map[string]*decide.Chain
	erased  map[string]bool
	seals   map[string]map[uint64]ChainSeal
	sealed  map[string]uint64
	dropped map[string]ChainSeal
}

// NewChainAudit begins a walk with what the ledger says about decisions: openings
// count only if they fit the leaf at their index.
func NewChainAudit(openings []ledger.Opening, leaves []ledger.Leaf) (*ChainAudit, error) {
	a := &ChainAudit{
		chains: map[string]*decide.Chain{}, erased: map[string]bool{},
		seals: map[string]map[uint64]ChainSeal{}, sealed: map[string]uint64{}, dropped: map[string]ChainSeal{},
	}
	for _, o := range openings {
		leaf, err := o.Leaf()
		if err != nil {
			return nil, err
		}
		if o.Index < int64(len(leaves)) && leaves[o.Index] == leaf {
			a.claim(o)
		}
	}
	return a, nil
}

func (a *ChainAudit) claim(o ledger.Opening) {
	var t ledger.Tombstone
	if json.Unmarshal(o.Content, &t) == nil && t.Schema == ledger.TombstoneSchema {
		for _, hash := range t.Decisions {
			a.erased[hash] = true
		}
	}
	for _, s := range readSeals(o.Content) {
		a.seal(s)
	}
}

func (a *ChainAudit) seal(s ChainSeal) {
	if s.Dropped {
		if s.N > a.dropped[s.Writer].N {
			a.dropped[s.Writer] = s
		}
		return
	}
	if a.seals[s.Writer] == nil {
		a.seals[s.Writer] = map[uint64]ChainSeal{}
	}
	a.seals[s.Writer][s.N] = s
	a.Report.Seals++
	if before := a.sealed[s.Writer]; s.N > before {
		a.sealed[s.Writer] = s.N
		a.Report.Sealed += s.N - before
	}
}

// Erased reports that the ledger knows of the erasure of a record with a hash.
func (a *ChainAudit) Erased(hash string) bool { return a.erased[hash] }

// Follow takes the next record of its writer.
func (a *ChainAudit) Follow(r decide.Record) {
	c := a.chain(r.Writer)
	a.note(c.Follow(r, a.Erased))
	if s, sealed := a.seals[r.Writer][r.N]; sealed && s.Hash != c.Hash {
		a.note(&decide.Break{Writer: r.Writer, N: r.N, ID: r.ID, Why: "it is not the record that the ledger sealed on " + s.Time.Format(time.RFC3339)})
	}
}

func (a *ChainAudit) chain(writer string) *decide.Chain {
	c := a.chains[writer]
	if c == nil {
		c = &decide.Chain{}
		a.chains[writer], a.Report.Chains = c, append(a.Report.Chains, c)
	}
	return c
}

// End compares where a writer's chain begins and ends with what is known of it: the
// last record that it wrote, by its own word, with its hash. N 0: it says nothing.
func (a *ChainAudit) End(writer string, n uint64, hash string) {
	c := a.chains[writer]
	if c == nil {
		c = &decide.Chain{Writer: writer}
	}
	dropped := a.dropped[writer].N
	if last := max(n, a.sealed[writer]); c.N < last && dropped < last {
		a.note(&decide.Break{Writer: writer, N: c.N, Why: fmt.Sprintf("the log ends here, but record %d was written", last)})
	} else if c.N == n && c.Count > 0 && c.Hash != hash {
		a.note(&decide.Break{Writer: writer, N: c.N, Why: "the last record is not the one that was written"})
	}
	if c.Count > 0 && c.First > dropped+1 {
		a.note(&decide.Break{Writer: writer, N: c.First, Why: fmt.Sprintf("the log begins here, but retention let go of record %d and before only", dropped)})
	}
}

// Writers are those that were followed or that the ledger knows of, in order.
func (a *ChainAudit) Writers() []string {
	known := map[string]bool{}
	for w := range a.chains {
		known[w] = true
	}
	for w := range a.sealed {
		known[w] = true
	}
	out := make([]string, 0, len(known))
	for w := range known {
		out = append(out, w)
	}
	slices.Sort(out)
	return out
}

// Unsealed are the heads that the ledger has no seal of, in the order of writers.
func (a *ChainAudit) Unsealed() (out []ChainSeal) {
	for _, w := range a.Writers() {
		if c := a.chains[w]; c != nil && c.N > a.sealed[w] {
			out = append(out, ChainSeal{Writer: w, N: c.N, Hash: c.Hash})
		}
	}
	return out
}

func (a *ChainAudit) note(b *decide.Break) {
	if b == nil {
		return
	}
	if a.Report.Broken++; len(a.Report.Breaks) < breaksShown {
		a.Report.Breaks = append(a.Report.Breaks, b)
	}
}
