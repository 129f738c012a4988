package segment

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/consent"
)

// TestChecksFindWhatTheyAreFor plants, in the tables of a good night, what each
// check forbids.
func TestChecksFindWhatTheyAreFor(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	faults := map[string]string{
		"no_small_file":             "update written set rows = 3 where kind = 'segment'",
		"files_hold_the_admitted":   "update written set rows = rows + 1 where kind = 'segment'",
		"no_row_without_verdict":    "insert into exports select channel, key, gen_random_uuid(), segments from exports limit 1",
		"no_channel_without_grant":  "create table damaged as from standings; update damaged set status = 'withdrawn' where purpose = 'marketing_email'; create or replace view standings as from damaged",
		"no_event_without_consent":  "update subjects_now set restricted = true",
		"no_member_twice":           "insert into members select * from members limit 1",
		"shares_sum":                "update shares set ppm = ppm + 1 where variant = 'a'",
		"no_wide_number":            "insert into written_types values ('x', 'sum', 'DOUBLE')",
		"no_delivery_forgotten":     "delete from export_rows; delete from recalled",
		"no_output_without_lineage": "delete from lineage where name like 'lookers.email%'",
		"no_unkeyed_hash":           "insert into exports select channel, left(sha256(person::varchar), 32)::uuid, person, segments from exports limit 1",
		"deltas_lead_to_the_files":  "delete from export_rows",
		"no_small_aggregate":        "update aggregates set persons = 24",
		"no_small_step":             "update report_before set told = told + 1",
		"no_row_of_no_set":          "insert into recalled select null, key from base_rows limit 1",
		"no_key_left_behind":        "insert into buried from base_rows limit 1",
		"no_marketing_of_objectors": "create table damaged as from subjects; update damaged set objections = ['direct_marketing']; create or replace view subjects as from damaged",
		"no_field_beyond_channel":   "delete from channel_fields where field = 'until'",
	}
	files, err := checks.ReadDir("check")
	if err != nil || len(files) != len(faults) {
		t.Fatalf("%d checks, %d faults, %v", len(files), len(faults), err)
	}
	n, ctx := until(t, s.night(monday.AddDate(0, 0, 2)), "checking"), context.Background()
	defer n.end()
	if err := n.check(ctx); err != nil {
		t.Fatalf("before any fault: %v", err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(f.Name(), ".sql")
		t.Run(name, func(t *testing.T) {
			if err := n.db.exec(ctx, "begin; "+faults[name]); err != nil {
				t.Fatal(err)
			}
			query, err := checks.ReadFile("check/" + f.Name())
			if err != nil {
				t.Fatal(err)
			}
			var failed *FailedCheck
			if err := n.mustBeEmpty(ctx, name, string(query)); !errors.As(err, &failed) {
				t.Errorf("the fault was not found: %v", err)
			} else if strings.Contains(failed.Error(), subject(0).String()) {
				t.Errorf("the check prints subjects: %v", failed)
			}
			if err := n.db.exec(ctx, "rollback"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// until runs a night up to a step.
func until(t *testing.T, in Inputs, name string) *night {
	t.Helper()
	n, err := begin(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.name == name {
			return n
		}
		if err := s.do(n, context.Background()); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	t.Fatalf("there is no step %q", name)
	return nil
}

// TestAFailedCheckLeavesYesterday: the audit between write and publish.
func TestAFailedCheckLeavesYesterday(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	in := s.night(monday.AddDate(0, 0, 2))
	yesterday := tree(t, in.Out)
	good := steps
	defer func() { steps = good }()
	steps = slices.Clone(steps)
	for i, st := range steps {
		if st.name == "weighing variants" {
			steps[i].do = func(n *night, ctx context.Context) error {
				err := st.do(n, ctx)
				n.weights.Slots["home_hero"][""]["a"]++
				return err
			}
		}
	}
	_, err := Run(context.Background(), in)
	var failed *FailedCheck
	if !errors.As(err, &failed) || failed.Check != "shares_sum" {
		t.Errorf("got %v", err)
	}
	visible(t, in.Out, yesterday)
}

// TestNoDeltaMisleads damages what the written deltas say, and what they are about, in every
// way that would leave a recipient with other rows than tonight's.
func TestNoDeltaMisleads(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	n, ctx := until(t, s.night(monday.AddDate(0, 0, 2)), "checking"), context.Background()
	defer n.end()
	if err := n.check(ctx); err != nil {
		t.Fatal(err)
	}
	query, err := checks.ReadFile("check/deltas_lead_to_the_files.sql")
	if err != nil {
		t.Fatal(err)
	}
	const x, y = "'00000000-0000-0000-0000-000000000001'::uuid", "'00000000-0000-0000-0000-000000000002'::uuid"
	for what, fault := range map[string]string{
		"it removes what stays":     "insert into changed_rows select set_no, key, 'removed' from base_rows limit 1",
		"it removes what never was": "insert into changed_rows select set_no, " + x + ", 'removed' from base_rows limit 1",
		"it adds what was there":    "insert into changed_rows select set_no, key, 'added' from base_rows limit 1",
		"it adds what is not":       "insert into changed_rows select set_no, " + x + ", 'added' from base_rows limit 1",
		"it leaves what went":       "delete from export_rows where key = (select min(key) from export_rows)",
		"it keeps what is new":      "insert into export_rows select set_no, " + x + " from export_rows limit 1",
		"it adds one row twice for two": "insert into export_rows values (0, " + x + "), (0, " + y + "); insert into changed_rows values (0, " +
			x + ", 'added'), (0, " + x + ", 'added')",
		"it removes one row and adds another": "insert into changed_rows select set_no, key, 'removed' from base_rows limit 1; insert into changed_rows select set_no, " +
			x + ", 'added' from base_rows limit 1",
	} {
		if err := n.db.exec(ctx, "begin; "+fault); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		if err := n.mustBeEmpty(ctx, "deltas_lead_to_the_files", string(query)); !errors.As(err, &failed) {
			t.Errorf("%s, and the check found %v", what, err)
		}
		if err := n.db.exec(ctx, "rollback"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNoRowOfAnUnknownSegmentIsWritten adds a row of a segment that nobody knows to each kind
// of written file that tells a recipient what to do.
func TestNoRowOfAnUnknownSegmentIsWritten(t *testing.T) {
	s := newShop(t)
	s.everyday(240, 1)
	s.run(s.night(monday.AddDate(0, 0, 1)))
	s.says(subject(6), consent.Withdrawn, monday.AddDate(0, 0, 1), basis)
	n, ctx := until(t, s.night(monday.AddDate(0, 0, 2)), "checking"), t.Context()
	defer n.end()
	for kind, name := range map[string]string{delta: "lookers.email.delta", revocations: "revocations.email", tombstones: "tombstones.email"} {
		path := filepath.Join(n.runDir(), name+".parquet")
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rows := "select * from read_parquet(" + quote(path) + ")"
		if err := scribe.copyTo(ctx, rows+" union all select * replace ('nobody' as segment) from ("+rows+" limit 1)", path+".odd"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(path+".odd", path); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		if err := n.check(ctx); !errors.As(err, &failed) || failed.Check != "no_row_of_no_set" || failed.Rows[0] != "kind="+kind+" rows=1" {
			t.Errorf("%s: %v", name, err)
		}
		s.write(path, good)
	}
	if err := n.check(ctx); err != nil {
		t.Errorf("without the fault: %v", err)
	}
}

// TestEveryChannelsKeysAreLookedAt makes the keys of one channel what anybody can compute,
// beside channels of more rows than are looked at.
func TestEveryChannelsKeysAreLookedAt(t *testing.T) {
	query, err := checks.ReadFile("check/no_unkeyed_hash.sql")
	if err != nil {
		t.Fatal(err)
	}
	n := &night{}
	if n.db, err = openWarehouse(t.Context(), filepath.Join(t.TempDir(), "spill"), 256, 2); err != nil {
		t.Fatal(err)
	}
	defer n.db.close()
	for _, odd := range []string{"", "ads", "email", "post"} {
		if err := n.db.exec(t.Context(), `create or replace table channels as select unnest(['ads', 'email', 'post']) as channel, channel as recipient;
			create or replace table exports as
				select channel, if(channel = `+quote(odd)+`, md5(person::varchar)::uuid, uuid()) as key, person
				from (select channel, uuid() as person from channels cross join range(1500))
				order by channel, key`); err != nil {
			t.Fatal(err)
		}
		var failed *FailedCheck
		err := n.mustBeEmpty(t.Context(), "no_unkeyed_hash", string(query))
		if want := "what=unkeyed channel=" + odd + " keys=1000"; odd == "" && err != nil || odd != "" && (!errors.As(err, &failed) || failed.Rows[0] != want) {
			t.Errorf("odd keys of %q: %v", odd, err)
		}
	}
}
