package event

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/consent"
)

// full are Fields with every value set.
func full() Fields {
	var f Fields
	v := reflect.ValueOf(&f).Elem()
	for i := range v.NumField() {
		switch x := v.Field(i); x.Kind() {
		case reflect.String:
			x.SetString("s")
		case reflect.Int64:
			x.SetInt(int64(i + 1))
		case reflect.Bool:
			x.SetBool(true)
		}
	}
	f.Items, f.QueryWords = []Item{{"p", 1, 2}}, []string{"w"}
	return f
}

// set names the JSON members of Fields that hold something.
func set(t testing.TB, f Fields) []string {
	t.Helper()
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	var out []string
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestEveryFieldHasANameAKeepLineAndTags(t *testing.T) {
	if len(FieldNames()) != int(FieldAuthenticated)+1 || full().Keep(AllFields).Keep(0).Product != "" {
		t.Fatal("the lists differ in length")
	}
	members := 0
	for i := range FieldNames() {
		f := Field(i)
		if named, ok := FieldNamed(f.String()); !ok || named != f || f.String() == "" {
			t.Errorf("field %d has no name of its own", i)
		}
		got := set(t, full().Keep(FieldSet(0).With(f)))
		want := []string{f.String()}
		if f == FieldSlot {
			want = []string{"slot", "slot_variant"}
		}
		if !slices.Equal(got, want) {
			t.Errorf("keeping %s keeps %v", f, got)
		}
		members += len(want)
	}
	typ := reflect.TypeFor[Fields]()
	if typ.NumField() != members {
		t.Errorf("%d members for %d that are kept", typ.NumField(), members)
	}
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, omit, _ := strings.Cut(f.Tag.Get("json"), ",")
		column, _, _ := strings.Cut(f.Tag.Get("parquet"), ",")
		if name == "" || name != column || omit != "omitempty" {
			t.Errorf("%s has tags %s", f.Name, f.Tag)
		}
	}
	if !reflect.DeepEqual(full().Keep(AllFields), full()) {
		t.Error("keeping all does not keep all")
	}
}

func TestKindsHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d is named %q", k, k)
		}
		seen[k.String()] = true
	}
	if Kind(200).String() != "other" || TrackKind("Confetti Thrown") != Other || TrackKind("Order Completed") != OrderCompleted {
		t.Error("what is not listed is other")
	}
}

func drawFields(t *rapid.T) Fields {
	return full().Keep(FieldSet(rapid.Uint64().Draw(t, "fields")) & AllFields)
}

func TestKeepNeverAdds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, s := drawFields(t), FieldSet(rapid.Uint64().Draw(t, "keep"))
		k := f.Keep(s)
		if !reflect.DeepEqual(k.Keep(s), k) {
			t.Fatal("keeping twice is not keeping once")
		}
		before, after := reflect.ValueOf(f), reflect.ValueOf(k)
		for i := range before.NumField() {
			if !after.Field(i).IsZero() && !reflect.DeepEqual(after.Field(i).Interface(), before.Field(i).Interface()) {
				t.Fatalf("%s appears", before.Type().Field(i).Name)
			}
		}
	})
}

func drawEvent(t *rapid.T) Event {
	var grants []Grant
	for _, p := range consent.Purposes {
		if rapid.Bool().Draw(t, string(p)) {
			grants = append(grants, Grant{p, CaseID(rapid.Uint64().Draw(t, "case")), FieldSet(rapid.Uint64().Draw(t, "keep")) & AllFields})
		}
	}
	at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC()
	return New(Event{Subject: consent.Subject{1, 2}, MessageKey: [16]byte{3}, Kind: rapid.SampledFrom(Kinds).Draw(t, "kind"),
		OccurredAt: at, ReceivedAt: at.Add(time.Second), Policy: "p"}, grants, drawFields(t))
}

func TestARowReadsBackAsTheEvent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		b, err := json.Marshal(e.Row())
		if err != nil {
			t.Fatal(err)
		}
		var r Row
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		if back := r.Event(); !reflect.DeepEqual(back, e) {
			t.Fatalf("got  %+v\nwant %+v", back, e)
		}
	})
}

func TestAnEventShowsAPurposeOnlyWhatItsGrantKeeps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawEvent(t)
		for _, p := range consent.Purposes {
			f, ok := e.For(p)
			if ok != e.Purposes().Has(p) || !ok && !reflect.DeepEqual(f, Fields{}) {
				t.Fatalf("%s sees an event that it did not admit", p)
			}
			for _, g := range e.Grants() {
				if g.Purpose == p && !reflect.DeepEqual(f, f.Keep(g.Keep)) {
					t.Fatalf("%s sees more than it keeps", p)
				}
			}
		}
		var union FieldSet
		for _, g := range e.Grants() {
			union |= g.Keep
		}
		if row := e.Row().Fields; !reflect.DeepEqual(row, row.Keep(union)) {
			t.Fatal("the row holds what no purpose keeps")
		}
	})
}
