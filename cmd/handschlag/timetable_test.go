package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// The columns of law.md 2.5.
const (
	realTime = "real-time"
	batch    = "batch"
	export   = "export"
)

// timeRow is a row of the table: what happens when, with what must be true then.
type timeRow struct {
	id, rule string
	says     string
	columns  []string // that the table fills in
	steps    []timeStep

	failed  []string
	checked map[string]int // by column
}

type timeStep struct {
	at string // UTC
	do func(s *timeShop)
}

// check is one thing that the table says, in one of its columns.
func (s *timeShop) check(column, what string, got, want any) {
	s.t.Helper()
	s.row.checked[column]++
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		s.row.failed = append(s.row.failed, fmt.Sprintf("%s: %s: got %s, want %s", column, what, g, w))
	}
}

// refused checks a refusal, by the rule among others.
func (s *timeShop) refused(what, got, rule string) {
	s.t.Helper()
	s.check(realTime, what+" is refused by "+rule+": "+got, strings.HasPrefix(got, "refused: ") && slices.Contains(strings.Fields(got), rule), true)
}

// counted checks what the last night made of a party: the segments it put it into,
// and whether the file of the recipient names it.
func (s *timeShop) counted(date string, p party, in ...string) {
	s.t.Helper()
	who := s.person(p)
	s.check(batch, "segments of the night of "+date, s.segments(who), in)
	s.check(export, "row in viewers.onsite.csv of "+date, s.exported(date, "viewers.onsite.csv", "own shop", who), slices.Contains(in, "viewers"))
}

func (s *timeShop) emailed(date string, p party, want bool) {
	s.t.Helper()
	s.check(export, "row in viewers.email.csv of "+date, s.exported(date, "viewers.email.csv", "mail provider", s.person(p)), want)
}

// revoked checks that the recipient of the row was told to delete it.
func (s *timeShop) revoked(date string, p party) {
	s.t.Helper()
	s.check(export, "tombstone of "+date, s.exported(date, "tombstones.onsite.csv", "own shop", s.person(p)), true)
}

func minute(at string) time.Time {
	t, err := time.Parse("2006-01-02 15:04", at)
	if err != nil {
		panic(err)
	}
	return t
}

const (
	personal = consent.PersonalisationContent
	email    = consent.MarketingEmail
)

var (
	yes = map[string]any{"personalisation_content": true}
	no  = map[string]any{"personalisation_content": false}

	firstNight  = "2026-11-24" // of Monday, 23 November, at 02:00
	secondNight = "2026-11-25"
	thirdNight  = "2026-11-26"
	lastNight   = "2026-12-06"
)

const admitted = "admitted: personalisation_content"

func device(n string) party { return party{device: "v1-device-of-the-row-" + n} }

// timetable is law.md 2.5. All is one story in one shop: its clock goes from
// November 2025 to December 2026.
func timetable() []*timeRow {
	gives := func(p party, purposes ...consent.Purpose) func(*timeShop) {
		return func(s *timeShop) { s.says(p, "banner-1", true, purposes...) }
	}
	takesBack := func(p party) func(*timeShop) {
		return func(s *timeShop) { s.says(p, "banner-1", false, personal) }
	}
	seen := func(p party, occurred string) func(*timeShop) {
		return func(s *timeShop) { s.check(realTime, "event", s.views(p, minute(occurred), yes), admitted) }
	}
	denied := func(p party, occurred, rule string) func(*timeShop) {
		return func(s *timeShop) { s.refused("event", s.views(p, minute(occurred), yes), rule) }
	}
	after := func(date string, p party, in ...string) timeStep {
		return timeStep{date + " 02:10", func(s *timeShop) { s.counted(date, p, in...) }}
	}
	all, noExport := []string{realTime, batch, export}, []string{realTime, batch}
	var rows []*timeRow
	row := func(id, rule, says string, columns []string, steps ...timeStep) {
		rows = append(rows, &timeRow{id: id, rule: rule, says: says, columns: columns, steps: steps, checked: map[string]int{}})
	}

	t1 := device("01")
	row("T1", "BAT-02", "event 10:00, given 10:05", noExport,
		timeStep{"2026-11-23 10:00", denied(t1, "2026-11-23 10:00", "CON-11")},
		timeStep{"2026-11-23 10:05", gives(t1, personal)},
		timeStep{"2026-11-23 10:06", denied(t1, "2026-11-23 10:00", "BAT-02")}, // kept in the page and sent once there is a yes
		after(firstNight, t1))

	t2 := device("02")
	row("T2", "BAT-01", "given 10:05, event 10:06", all,
		timeStep{"2026-11-23 10:05", gives(t2, personal)},
		timeStep{"2026-11-23 10:06", seen(t2, "2026-11-23 10:06")},
		after(firstNight, t2, "viewers"))

	t3 := device("03")
	row("T3", "BAT-03", "given 10:05, event 10:06, withdrawn 23:50", all,
		timeStep{"2026-11-23 10:05", gives(t3, personal)},
		timeStep{"2026-11-23 10:06", seen(t3, "2026-11-23 10:06")},
		timeStep{"2026-11-23 23:50", takesBack(t3)},
		after(firstNight, t3),
		timeStep{firstNight + " 02:11", func(s *timeShop) {
			who := s.person(t3)
			s.check(batch, "events kept", s.stored(who, minute(firstNight+" 02:11")), 0)
			p, err := s.srv.shop.host.Profile(s.t.Context(), who)
			s.ok(err)
			s.check(batch, "sections of the profile", len(p.Sections), 0)
		}})

	t4 := device("04")
	row("T4", "BAT-01", "given, event, withdrawn 10:30, given again 11:00", all,
		timeStep{"2026-11-23 10:05", gives(t4, personal)},
		timeStep{"2026-11-23 10:06", seen(t4, "2026-11-23 10:06")},
		timeStep{"2026-11-23 10:30", takesBack(t4)},
		timeStep{"2026-11-23 10:45", denied(t4, "2026-11-23 10:45", "CON-10")},
		timeStep{"2026-11-23 11:00", gives(t4, personal)},
		timeStep{"2026-11-23 11:05", seen(t4, "2026-11-23 11:05")},
		after(firstNight, t4, "viewers")) // and not twice

	t5 := device("05")
	row("T5", "BAT-04", "event of 10:06 received 12:00, withdrawn 11:00", noExport,
		timeStep{"2026-11-23 10:05", gives(t5, personal)},
		timeStep{"2026-11-23 11:00", takesBack(t5)},
		timeStep{"2026-11-23 12:00", denied(t5, "2026-11-23 10:06", "CON-10")}, // the state at receipt
		after(firstNight, t5))

	t6 := device("06")
	row("T6", "BAT-04", "given 10:05, event of 10:06 received 10:50", all,
		timeStep{"2026-11-23 10:05", gives(t6, personal)},
		timeStep{"2026-11-23 10:50", seen(t6, "2026-11-23 10:06")},
		after(firstNight, t6, "viewers"))

	t7 := device("07")
	row("T7", "BAT-04", "given 10:15, event of 10:16 received 10:01", noExport,
		timeStep{"2026-11-23 10:01", denied(t7, "2026-11-23 10:16", "BAT-04")},
		timeStep{"2026-11-23 10:15", gives(t7, personal)},
		after(firstNight, t7))

	t8 := device("08")
	row("T8", "CON-11", "event says true, the book says refused", all,
		timeStep{"2026-11-23 10:05", takesBack(t8)},
		timeStep{"2026-11-23 10:06", denied(t8, "2026-11-23 10:06", "CON-11")},
		after(firstNight, t8))

	t9 := device("09")
	row("T9", "CON-11", "event says false, the book says given", all,
		timeStep{"2026-11-23 10:05", gives(t9, personal)},
		timeStep{"2026-11-23 10:06", func(s *timeShop) {
			s.refused("event", s.views(t9, minute("2026-11-23 10:06"), no), "CON-11")
			s.check(realTime, "the book", s.state(t9).Purposes[personal].Status, consent.Given)
		}},
		timeStep{"2026-11-23 10:07", seen(t9, "2026-11-23 10:07")},
		after(firstNight, t9, "viewers")) // the others count: not twice

	t10 := device("10")
	row("T10", "BAT-05", "withdrawn while the night runs", all,
		timeStep{"2026-11-23 10:05", gives(t10, personal)},
		timeStep{"2026-11-23 10:06", seen(t10, "2026-11-23 10:06")},
		timeStep{firstNight + " 01:59", func(s *timeShop) {
			own := s.row
			s.during = func() {
				s.row = own
				takesBack(t10)(s)
				denied(t10, firstNight+" 02:00", "CON-10")(s)
			}
		}},
		timeStep{firstNight + " 02:09", func(s *timeShop) { s.check(batch, "the withdrawal came during the run", s.during == nil, true) }},
		after(firstNight, t10))

	t11 := device("11")
	row("T11", "CON-10", "segment of Monday, withdrawn Tuesday 09:00, variant 09:01", []string{realTime},
		timeStep{"2026-11-23 10:05", gives(t11, personal)},
		timeStep{"2026-11-23 10:06", seen(t11, "2026-11-23 10:06")},
		after(firstNight, t11, "viewers"),
		timeStep{"2026-11-24 09:00", takesBack(t11)},
		timeStep{"2026-11-24 09:01", func(s *timeShop) {
			variant, mode := s.variant(t11)
			s.check(realTime, "variant", variant+", "+mode, "plain, default")
		}},
		after(secondNight, t11),
		timeStep{secondNight + " 02:11", func(s *timeShop) { s.revoked(secondNight, t11) }})

	// An account speaks for what a person decides, and a device for what is stored on it.
	t12a, t12b := device("12-A"), party{device: "v1-device-of-the-row-12-B", user: "customer-of-the-row-12"}
	row("T12", "CON-14", "given on device A, log-in on device B", all,
		timeStep{"2026-11-23 10:05", gives(party{t12a.device, t12b.user}, personal, consent.Analytics)},
		timeStep{"2026-11-23 10:06", func(s *timeShop) {
			both := map[string]any{"personalisation_content": true, "analytics": true}
			s.check(realTime, "event on B", s.views(t12b, minute("2026-11-23 10:06"), both), admitted)
			s.refused("analytics on B", s.views(t12b, minute("2026-11-23 10:06"), map[string]any{"analytics": true}), "CON-11")
			s.check(realTime, "event on A", s.views(t12a, minute("2026-11-23 10:06"), both), "admitted: analytics personalisation_content")
		}},
		after(firstNight, t12b, "viewers"),
		timeStep{firstNight + " 02:11", func(s *timeShop) {
			s.check(batch, "device B has a pseudonym", !s.subject(consent.Device, t12b.device).IsZero(), false)
		}})

	t13d, t13 := device("13"), party{device: "v1-device-of-the-row-13", user: "customer-of-the-row-13"}
	t13a := party{user: t13.user}
	row("T13", "CON-14", "merge of a device that refused and an account that gave", all,
		timeStep{"2026-11-23 10:05", takesBack(t13d)},
		timeStep{"2026-11-23 10:05", gives(t13a, personal)},
		timeStep{"2026-11-23 10:06", func(s *timeShop) {
			s.refused("merge", s.sends(t13, t13.about(map[string]any{"type": "identify", "messageId": "t13", "context": map[string]any{
				"consent": map[string]any{"categoryPreferences": yes}}})), "CON-14")
		}},
		timeStep{"2026-11-23 10:07", denied(t13, "2026-11-23 10:07", "CON-11")},
		timeStep{"2026-11-23 10:08", seen(t13a, "2026-11-23 10:08")},
		after(firstNight, t13a, "viewers"), // the account's one event, not the device's
		after(firstNight, t13d),
		timeStep{firstNight + " 10:00", func(s *timeShop) { gives(t13d, personal)(s); seen(t13, firstNight+" 10:00")(s) }})

	t14 := device("14")
	row("T14", "CON-12", "given 2025-11-20, now 2026-11-21", all,
		timeStep{"2025-11-20 10:00", gives(t14, personal)},
		timeStep{"2026-11-15 10:00", seen(t14, "2026-11-15 10:00")},
		timeStep{"2026-11-21 10:00", denied(t14, "2026-11-21 10:00", "CON-12")},
		after(firstNight, t14),
		timeStep{lastNight + " 02:11", func(s *timeShop) {
			who := s.person(t14)
			s.check(batch, "events kept 16 days after", s.stored(who, minute(lastNight+" 02:11")), 0)
			p, err := s.srv.shop.host.Profile(s.t.Context(), who)
			s.ok(err)
			s.check(batch, "sections of the profile 16 days after", len(p.Sections), 0)
		}})

	t15 := device("15")
	row("T15", "CON-06", "banner invalidated on Wednesday, for all that was given on it", all,
		timeStep{"2026-11-23 10:05", func(s *timeShop) { s.says(t15, "banner-2", true, personal) }},
		timeStep{"2026-11-23 10:06", seen(t15, "2026-11-23 10:06")},
		after(firstNight, t15, "viewers"),
		timeStep{"2026-11-25 09:00", func(s *timeShop) { s.configure("2026-11-25T09:00:00Z") }},
		timeStep{"2026-11-25 09:01", denied(t15, "2026-11-25 09:01", "CON-06")},
		after(thirdNight, t15),
		timeStep{thirdNight + " 02:11", func(s *timeShop) {
			s.revoked(thirdNight, t15)
			s.check(batch, "events kept", s.stored(s.person(t15), minute(thirdNight+" 02:11")), 0)
		}})

	t16, t16s := party{user: "customer-of-the-row-16"}, party{user: "customer-of-the-row-16-suppressed"}
	row("T16", "EXP-03", "objection to direct marketing while e-mail is given", all,
		timeStep{"2026-11-23 10:05", func(s *timeShop) { gives(t16, personal, email)(s); gives(t16s, personal, email)(s) }},
		timeStep{"2026-11-23 10:06", func(s *timeShop) { seen(t16, "2026-11-23 10:06")(s); seen(t16s, "2026-11-23 10:06")(s) }},
		timeStep{"2026-11-23 11:00", func(s *timeShop) {
			s.requests(t16, "objection", map[string]any{"scope": "direct_marketing"})
			s.requests(t16s, "objection", map[string]any{"scope": "direct_marketing", "channel": "email"})
			at := s.state(t16)
			s.check(realTime, "e-mail, objections", fmt.Sprint(at.Purposes[email].Status, " ", at.Objections), "given [direct_marketing]")
			onFile := s.call("dpo", "POST", "/v1/decisions/search", map[string]any{"action": "rights", "rule": "EXP-03"}, 200)
			s.check(realTime, "requests on file by EXP-03", len(onFile["decisions"].([]any)), 2)
		}},
		timeStep{firstNight + " 02:10", func(s *timeShop) {
			s.emailed(firstNight, t16, false)
			s.emailed(firstNight, t16s, false)
			s.check(batch, "members not even asked about for e-mail", s.leftOut(firstNight), 2)
		}},
		timeStep{"2026-11-24 09:00", func(s *timeShop) { gives(t16, email)(s); gives(t16s, email)(s) }},
		timeStep{"2026-11-24 09:01", func(s *timeShop) {
			s.check(realTime, "objection to e-mail after a later yes", slices.Contains(s.state(t16).Objections, "direct_marketing"), false)
			s.check(realTime, "suppression after a later yes", s.state(t16s).Suppressed, "[email]") // SIG-04
		}},
		timeStep{secondNight + " 02:10", func(s *timeShop) {
			s.emailed(secondNight, t16, true)
			s.emailed(secondNight, t16s, false)
			s.check(batch, "members not even asked about for e-mail", s.leftOut(secondNight), 1)
		}})

	t17 := device("17")
	var was consent.Subject
	row("T17", "RGT-05", "erasure, then a new subscription on the next day", all,
		timeStep{"2026-11-23 10:05", gives(t17, personal)},
		timeStep{"2026-11-23 10:06", seen(t17, "2026-11-23 10:06")},
		timeStep{"2026-11-23 12:00", func(s *timeShop) {
			was = s.person(t17)
			s.requests(t17, "erasure", nil)
			s.refused("event", s.views(t17, minute("2026-11-23 12:00"), yes), "CON-11")
		}},
		timeStep{"2026-11-24 12:00", gives(t17, personal)},
		timeStep{"2026-11-24 12:05", func(s *timeShop) {
			seen(t17, "2026-11-24 12:05")(s)
			s.check(realTime, "same pseudonym", s.person(t17) == was, false)
		}},
		after(secondNight, t17, "viewers"), // and not twice
		timeStep{secondNight + " 02:11", func(s *timeShop) {
			s.check(batch, "segments of the erased", s.segments(was), "[]")
			s.check(batch, "events kept of the erased", s.stored(was, minute(secondNight+" 02:11")), 0)
			s.check(export, "row of the erased", s.exported(secondNight, "viewers.onsite.csv", "own shop", was), false)
		}})

	t18 := device("18")
	row("T18", "RGT-07", "restricted at 01:59, the night runs at 02:00", all,
		timeStep{"2026-11-23 10:05", gives(t18, personal)},
		timeStep{"2026-11-23 10:06", seen(t18, "2026-11-23 10:06")},
		timeStep{firstNight + " 01:59", func(s *timeShop) {
			s.requests(t18, "restriction", nil)
			denied(t18, firstNight+" 01:59", "RGT-07")(s)
		}},
		after(firstNight, t18),
		timeStep{firstNight + " 02:11", func(s *timeShop) {
			s.check(batch, "events kept", s.stored(s.person(t18), minute(firstNight+" 02:11")), 1)
		}})
	return rows
}

// leftOut counts the members of a segment whom the night did not even consider for
// e-mail: by its decisions on the rows of both channels.
func (s *timeShop) leftOut(date string) int {
	s.t.Helper()
	considered := map[string]int{}
	found := s.call("dpo", "POST", "/v1/decisions/search", map[string]any{"action": "export", "from": date + "T00:00:00Z"}, 200)
	for _, d := range found["decisions"].([]any) {
		in := d.(map[string]any)["record"].(map[string]any)["input"].(map[string]any)
		if !strings.HasPrefix(in["as_of"].(string), date) || in["segment"] != "viewers" {
			continue
		}
		for _, c := range in["cases"].([]any) {
			considered[in["channel"].(string)] += int(c.(map[string]any)["rows"].(float64))
		}
	}
	return considered["onsite"] - considered["email"]
}

// others are those among whom the table's visitors are not alone (k is 10), and the nights.
func others() *timeRow {
	r := &timeRow{id: "the shop itself", checked: map[string]int{}}
	r.steps = append(r.steps, timeStep{"2026-11-23 09:00", func(s *timeShop) {
		for n := range 25 {
			p := party{user: fmt.Sprintf("customer-among-others-%02d", n)}
			s.says(p, "banner-1", true, personal, email)
			for range 2 {
				s.check(realTime, "event", s.views(p, minute("2026-11-23 09:00"), yes), admitted)
			}
		}
	}})
	for _, date := range []string{firstNight, secondNight, thirdNight, lastNight} {
		r.steps = append(r.steps, timeStep{date + " 02:00", func(s *timeShop) { s.night(date) }})
	}
	return r
}

// TestTheConsentTimeTable is law.md 2.5: each row by HTTP, by night and in the
// exports, all in one shop whose clock only the test moves.
func TestTheConsentTimeTable(t *testing.T) {
	rows := append([]*timeRow{others()}, timetable()...)
	type due struct {
		*timeRow
		timeStep
		at time.Time
	}
	var story []due
	for _, r := range rows {
		for _, step := range r.steps {
			story = append(story, due{r, step, minute(step.at)})
		}
	}
	slices.SortStableFunc(story, func(a, b due) int { return a.at.Compare(b.at) })
	s := openTimeShop(t, story[0].at)
	for _, d := range story {
		s.setClock(d.at)
		s.row = d.timeRow
		d.do(s)
	}
	for _, r := range rows {
		t.Run(r.id+" "+r.rule, func(t *testing.T) {
			for _, f := range r.failed {
				t.Error(f)
			}
			for _, c := range r.columns {
				if r.checked[c] == 0 {
					t.Errorf("nothing was checked of %s", c)
				}
			}
		})
	}
	if len(rows) != 19 {
		t.Errorf("the table has 18 rows, got %d", len(rows)-1)
	}
}
