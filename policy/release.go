package policy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Release is the act that makes a bundle law in the shop (OPS-02). The data
// protection officer gives an opinion, the controller approves, and they are two
// persons; both have seen the replay and the changes in plain words.
type Release struct {
	EffectiveAt time.Time              `json:"effective_at"`
	Emergency   bool                   `json:"emergency,omitempty"` // refuses more, at once; the opinion follows
	Changes     map[string]PlainChange `json:"changes"`             // of each touched rule, by id
	Opinion     *Said                  `json:"opinion,omitempty"`   // of the data protection officer
	Approval    *Said                  `json:"approval,omitempty"`  // of the controller
	Replay      *Impact                `json:"replay,omitempty"`
}

// PlainChange is what becomes of a rule, in plain words.
type PlainChange struct {
	De string `json:"de"`
	En string `json:"en"`
}

// Said is what one person said about a release.
type Said struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Text string    `json:"text"`
}

// Impact is what a replay of the shop's own decisions under the new rules showed.
type Impact struct {
	Policy       string    `json:"policy"` // digest of the new rules, with the shop's settings
	Since        time.Time `json:"since"`
	Until        time.Time `json:"until"`
	Decisions    int64     `json:"decisions"`
	NewlyAllowed int64     `json:"newly_allowed"`
	NewlyDenied  int64     `json:"newly_denied"`
	Changed      int64     `json:"changed"`
}

// replayDays is how many days of decisions a replay covers at least.
const replayDays = 7

// Check says what forbids the bundle to follow base (nil: the program's rules) in
// a shop with these settings; nil if nothing does. It runs the bundle's tests.
func (b *Bundle) Check(ctx context.Context, base *Bundle, s Settings) error {
	was, err := textOf(base)
	if err != nil {
		return err
	}
	least := Revision()
	if base != nil {
		least = max(least, base.Revision)
	}
	if b.Revision <= least {
		return fmt.Errorf("revision %d is not above %d: a bundle never goes back", b.Revision, least)
	}
	rules, err := b.Load(ctx, s)
	if err != nil {
		return err
	}
	touched, err := Touched(was, b.text)
	if err != nil {
		return err
	}
	if err := b.Release.complete(touched, rules.Digests().Policy, onlyRefusesMore(was, b.text)); err != nil {
		return err
	}
	return b.tested(ctx, touched)
}

// Files gives the rules and tests of a bundle by name; of the program if it is nil.
func Files(b *Bundle) (map[string]string, error) {
	text, err := textOf(b)
	return maps.Clone(text), err
}

// textOf is the rules and tests of a bundle, or of the program.
func textOf(b *Bundle) (map[string]string, error) {
	if b != nil {
		return b.text, nil
	}
	return textsOf(regoWithTests)
}

// tested asks that every test passes and that each touched rule has one that
// allows and one that denies.
func (b *Bundle) tested(ctx context.Context, touched []string) error {
	results, err := runRegoTests(ctx, b.text)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(results) {
		if results[name] != "pass" {
			return fmt.Errorf("test %s fails", name)
		}
	}
	all := strings.Join(sortedKeys(results), "\n")
	for _, id := range touched {
		for _, way := range []string{"allow_", "deny_"} {
			if !strings.Contains(all, "."+regoTestPrefix(id)+way) {
				return fmt.Errorf("rule %s was touched and has no test %s%s*", id, regoTestPrefix(id), way)
			}
		}
	}
	return nil
}

// complete says what a release lacks.
func (r Release) complete(touched []string, policy string, stricter bool) error {
	var wrong []error
	lacks := func(bad bool, what string, args ...any) {
		if bad {
			wrong = append(wrong, fmt.Errorf(what, args...))
		}
	}
	for _, id := range touched {
		c := r.Changes[id]
		lacks(c.De == "" || c.En == "", "the release does not say in German and English what becomes of %s", id)
	}
	lacks(r.EffectiveAt.IsZero(), "the release has no effective date")
	lacks(!r.Approval.said(), "the controller has not approved")
	if r.Emergency {
		lacks(!stricter, "an emergency release may only add refusals; this one changes something else")
		return errors.Join(wrong...)
	}
	lacks(!r.Opinion.said(), "the data protection officer has given no opinion")
	lacks(r.Opinion.said() && r.Approval.said() && samePerson(r.Opinion.By, r.Approval.By), "opinion and approval are of the same person")
	if r.Replay == nil {
		return errors.Join(append(wrong, errors.New("the release has no replay"))...)
	}
	lacks(r.Replay.Policy != policy, "the replay was of policy %.16s, the bundle with this shop's settings is %.16s", r.Replay.Policy, policy)
	lacks(r.Replay.Until.Sub(r.Replay.Since) < replayDays*24*time.Hour, "the replay covers less than %d days", replayDays)
	return errors.Join(wrong...)
}

func (s *Said) said() bool {
	return s != nil && strings.TrimSpace(s.By) != "" && strings.TrimSpace(s.Text) != "" && !s.At.IsZero()
}

func samePerson(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}

// Touched names the rules that mean something else, or are said otherwise, in now
// than in was, or are in one of them only; sorted. A rule is touched too when one
// that it refers to is.
func Touched(was, now map[string]string) ([]string, error) {
	before, err := meanings(was)
	if err != nil {
		return nil, err
	}
	after, err := meanings(now)
	if err != nil {
		return nil, err
	}
	var out []string
	for id, m := range after {
		if before[id] != m {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out, gone(before, after)
}

// gone refuses a policy that drops a rule: whoever wants to must change it to one
// that never applies, and say so.
func gone(before, after map[string]string) error {
	for _, id := range sortedKeys(before) {
		if _, ok := after[id]; !ok {
			return fmt.Errorf("rule %s is gone: a rule is changed, not dropped", id)
		}
	}
	return nil
}

// meanings gives, by id, the text of every body that gives the id and of
// everything that it refers to, with the words of its metadata.
func meanings(text map[string]string) (map[string]string, error) {
	c, err := compile(rulesOf(text), Entries)
	if err != nil {
		return nil, fmt.Errorf("compiling rules: %w", err)
	}
	read, out := newReader(c.Modules), map[string]string{}
	bodies := map[string]string{}
	for _, name := range sortedKeys(c.ParsedModules()) {
		for _, r := range c.ParsedModules()[name].Rules {
			bodies[ruleName(r)] += r.String() + "\n"
		}
	}
	for _, name := range sortedKeys(c.ParsedModules()) {
		m := c.ParsedModules()[name]
		for _, a := range m.Annotations {
			if id, _ := a.Custom["id"].(string); id != "" {
				out[id] += fmt.Sprint(name, a.Title, a.Description, a.Custom, "\n")
			}
		}
		for i, r := range m.Rules {
			for _, id := range headIDs(r) {
				out[id] += name + r.String() + "\n"
				for _, other := range read.reaches(c.Modules[name].Rules[i]) {
					out[id] += bodies[other]
				}
			}
		}
	}
	return out, nil
}

// reaches lists the rules that a rule refers to, directly or not, sorted.
func (r *reader) reaches(rule *ast.Rule) []string {
	seen, next := map[string]bool{}, []*ast.Rule{rule}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		ast.WalkRefs(at, func(ref ast.Ref) bool {
			if name := refName(ref); name != "" && !seen[name] && len(r.rules[name]) > 0 {
				seen[name], next = true, append(next, r.rules[name]...)
			}
			return false
		})
	}
	return sortedKeys(seen)
}

// refusing are the sets whose members refuse: an entry allows only when they are
// empty, so a member more can only refuse more.
var refusing = []string{"deny", "deny_price", "deny_claim", "refused", "hidden", "withheld"}

// onlyRefusesMore reports whether now is was with nothing but refusals added, and
// helpers of new names for them.
func onlyRefusesMore(was, now map[string]string) bool {
	before, after := rulesOf(was), rulesOf(now)
	for name := range after {
		if _, ok := before[name]; !ok {
			return false
		}
	}
	for name, text := range before {
		old, err := ast.ParseModule(name, text)
		if err != nil {
			return false
		}
		fresh, err := ast.ParseModule(name, after[name])
		if err != nil || !addsRefusals(old, fresh) {
			return false
		}
	}
	return true
}

func addsRefusals(old, fresh *ast.Module) bool {
	if !old.Package.Equal(fresh.Package) || fmt.Sprint(old.Imports) != fmt.Sprint(fresh.Imports) {
		return false // the same words would read other rules
	}
	names, left := map[string]bool{}, map[string]int{}
	for _, r := range old.Rules {
		names[string(r.Head.Name)] = true
		left[r.String()]++
	}
	for _, r := range fresh.Rules {
		if s := r.String(); left[s] > 0 {
			left[s]--
			continue
		}
		name := string(r.Head.Ref()[0].Value.(ast.Var))
		adds := slices.Contains(refusing, name) && r.Head.Key != nil
		if !adds && (names[name] || !strings.HasPrefix(name, "_")) {
			return false
		}
	}
	for _, n := range left {
		if n > 0 {
			return false
		}
	}
	return true
}

// TouchedSince names the rules that the bundle touches in base (nil: the program's).
func (b *Bundle) TouchedSince(base *Bundle) ([]string, error) {
	was, err := textOf(base)
	if err != nil {
		return nil, err
	}
	return Touched(was, b.text)
}

// Test runs the bundle's tests and names those that fail.
func (b *Bundle) Test(ctx context.Context) (passed int, failed []string, err error) {
	results, err := runRegoTests(ctx, b.text)
	for _, name := range sortedKeys(results) {
		if results[name] == "pass" {
			passed++
		} else {
			failed = append(failed, name)
		}
	}
	return passed, failed, err
}
