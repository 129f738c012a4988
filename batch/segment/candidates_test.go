package segment

import (
	"context"
	"fmt"
	"testing"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// askedOf fills a bench with 2,000 subjects of whom every fact that an export case asks about
// is drawn: standings, notices, links, objections, restrictions, ages, orders.
const askedOf = `
	create table drawn as
		select md5('subject ' || i)::uuid as subject, i, (select list(ord(md5(format('{}:{}', i, j))) + 256 * ord(md5(format('{}/{}', i, j))) order by j) from range(40) as r (j)) as d
		from range(2000) as t (i);
	insert into no_subjects
		select subject, if(i % 3 = 0, 'account', 'device'), d[1] % 11 = 0, ['', 'adult', '16_17', 'u16'][1 + d[2] % 4], false,
			list_filter(['direct_marketing', 'profiling', 'direct_marketing:ads_third_party', 'li:personalisation_content'], lambda x, no: d[2 + no] % 17 = 0),
			list_filter(['email', 'ads', 'all'], lambda x, no: d[6 + no] % 13 = 0)
		from drawn where i % 20 > 0;
	insert into no_standings
		select subject, purpose, ['given', 'renewed', 'withdrawn', 'requested', 'request_deferred', 'refused', 'given', 'given'][1 + d[10 + p] % 8],
			1, if(d[14 + p] % 9 = 0, 2, 9000000000000000), false, 1, ['', '1', '2'][1 + d[18 + p] % 3], d[22 + p] % 2 = 0, d[26 + p] % 4 = 0
		from drawn cross join (values ('personalisation_content', 1), ('marketing_email', 2), ('ads_third_party', 3), ('marketing_post', 4)) as q (purpose, p)
		where d[30 + p] % 6 > 0;
	insert into links select a.subject, b.subject from drawn as a join drawn as b on b.i = a.i - 1 - a.i % 3 where a.i % 3 > 0 and a.d[35] % 2 = 0 and b.i % 3 = 0`

// aboutThem fills what is known of the persons that these subjects make up.
const aboutThem = `
	create or replace table features as select f.* replace (p.person as person,
			if(d[36] % 5 = 0, 1, 0) as gpc_events_90d, if(d[37] % 5 = 0, 1, 0) as dnt_events_90d, if(d[38] % 6 = 0, 1, 0) as special_events_90d)
		from (select distinct person from persons) as p join drawn on drawn.subject = p.person left join features as f on false;
	create or replace table segment_names as from (values ('lookers', 0), ('buyers', 1), ('sick', 2)) as t (segment, place);
	create or replace table members as
		select segment, subject as person from drawn join features on person = subject cross join segment_names where (d[39] >> place) & 3 = 0;
	create or replace table bought as
		select subject as person, [['shoes'], ['tea', 'shoes'], ['tea']][1 + d[40] % 3] as categories from drawn where d[40] % 4 = 0`

// TestKindsAreAskedLikePersons: asking once about all who are alike admits and refuses whom
// asking about each would.
func TestKindsAreAskedLikePersons(t *testing.T) {
	ctx, n := context.Background(), bench(t)
	n.in.Config.Segments = append(n.in.Config.Segments, config.Segment{Name: "sick", Special: "health"})
	n.in.Config.Notices = append(n.in.Config.Notices, config.Notice{Version: "2", Purposes: consent.Purposes, Recipients: []string{"post-house"}})
	n.in.Config.Exports.Channels[0].Existing = config.ExistingCustomers{On: true, Goods: []string{"shoes"}}
	n.in.Config.Exports.Channels[0].DoubleOptIn = "ours"
	n.in.Config.Exports.Channels = append(n.in.Config.Exports.Channels,
		config.Channel{Name: "onsite", Purpose: basis, Recipient: "own"}, config.Channel{Name: "letters", Purpose: consent.MarketingPost, Recipient: "post-house"})
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(n.db.exec(ctx, askedOf))
	for _, table := range []string{"own_standings", "standings_now", "subjects_now", "persons", "objectors"} {
		do(n.db.table(ctx, table))
	}
	do(n.db.exec(ctx, aboutThem))
	do(n.channels(ctx))
	do(n.db.set(ctx, "special_segments", n.specialSegments()))
	do(n.db.set(ctx, "last_place", "2"))
	for _, table := range caseTables {
		do(n.db.table(ctx, table))
	}
	do(n.plain(ctx, "candidates_asked"))
	for _, fact := range []string{"state", "source", "gpc", "dnt", "tag", "age", "objected", "confirmed", "named", "ordered", "alike"} {
		var values int
		do(n.db.one(ctx, fmt.Sprintf("select count(distinct %s) from candidates_asked", fact), &values))
		if values < 2 {
			t.Errorf("%s is always the same: it shows nothing", fact)
		}
	}
	n.sameAll(t, "select c.channel, c.person, c.segments, e.* exclude (case_no, channel) from candidates as c join export_cases as e using (case_no)", "from candidates_asked")
	n.sameAll(t, "from case_rows", `select s.segment, c.channel, c.case_no, count(*)::bigint from candidates as c
		join segment_names as s on get_bit(c.segments, s.place) = 1 group by all`)
}
