package snapshot

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"github.com/handschlag/handschlag/event"
)

// anyRow draws a row with anything in it, even what policy would never make.
func anyRow() *rapid.Generator[event.Row] {
	return rapid.Custom(func(t *rapid.T) event.Row {
		number, text := rapid.Int64(), rapid.String()
		r := event.Row{
			Bucket: rapid.Int32().Draw(t, "bucket"), Kind: rapid.Int32().Draw(t, "kind"), OccurredMS: number.Draw(t, "occurred"),
			ReceivedMS: number.Draw(t, "received"), Purposes: number.Draw(t, "purposes"), Policy: text.Draw(t, "policy"),
		}
		copy(r.Subject[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "subject"))
		copy(r.MessageKey[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "key"))
		for range rapid.IntRange(0, 4).Draw(t, "grants") {
			r.Cases = append(r.Cases, number.Draw(t, "case"))
			r.Keeps = append(r.Keeps, number.Draw(t, "keep"))
		}
		v := reflect.ValueOf(&r.Fields).Elem()
		for i := range v.NumField() {
			if rapid.Bool().Draw(t, "has "+v.Type().Field(i).Name) {
				drawField(t, v.Field(i))
			}
		}
		return r
	})
}

func drawField(t *rapid.T, f reflect.Value) {
	switch f.Interface().(type) {
	case string:
		f.SetString(rapid.String().Draw(t, "text"))
	case int64:
		f.SetInt(rapid.Int64().Draw(t, "number"))
	case bool:
		f.SetBool(true)
	case []string:
		f.Set(reflect.ValueOf(rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "texts")))
	case []event.Item:
		f.Set(reflect.ValueOf([]event.Item{{Product: rapid.String().Draw(t, "item"), Quantity: rapid.Int64().Draw(t, "n"), PriceCents: -1}}))
	default:
		t.Fatalf("a field of type %s: teach rowcodec.go to write it", f.Type())
	}
}

func TestARowReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := anyRow().Draw(t, "row")
		b := AppendRow(nil, &r)
		got, err := ReadRow(b)
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("got %+v %v, want %+v", got, err, r)
		}
		if p, err := PeekRow(b); err != nil || p != (Peeked{r.Subject, r.MessageKey, r.ReceivedMS, r.OccurredMS}) {
			t.Fatalf("peeked %+v %v", p, err)
		}
		if got, err := readRowWith(words{}, b); err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("got %+v %v with words, want %+v", got, err, r)
		}
	})
}

func TestEveryFieldOfAnEventIsWritten(t *testing.T) {
	var f event.Fields
	count := 0
	walkFields(&fieldCounter{&count}, &f)
	if want := reflect.TypeOf(f).NumField(); count != want {
		t.Fatalf("the codec walks over %d fields, an event has %d", count, want)
	}
}

type fieldCounter struct{ n *int }

func (c *fieldCounter) text(*string)        { *c.n++ }
func (c *fieldCounter) number(*int64)       { *c.n++ }
func (c *fieldCounter) flag(*bool)          { *c.n++ }
func (c *fieldCounter) texts(*[]string)     { *c.n++ }
func (c *fieldCounter) items(*[]event.Item) { *c.n++ }

func TestATruncatedRowIsAnError(t *testing.T) {
	r := sampleRow()
	b := AppendRow(nil, &r)
	for i := range b {
		if _, err := ReadRow(b[:i]); err == nil {
			t.Fatalf("%d of %d bytes were taken for a row", i, len(b))
		}
	}
	if _, err := ReadRow(append(b, 0)); err == nil {
		t.Fatal("a byte too many was taken")
	}
}

// FuzzReadRow: whatever the bytes, reading never panics, and what reads back
// writes back to a row that reads the same.
func FuzzReadRow(f *testing.F) {
	r := sampleRow()
	f.Add(AppendRow(nil, &r))
	f.Add([]byte{rowVersion})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ReadRow(b)
		if err != nil {
			return
		}
		again, err := ReadRow(AppendRow(nil, &r))
		if err != nil || !reflect.DeepEqual(again, r) {
			t.Fatalf("%+v became %+v %v", r, again, err)
		}
	})
}

func sampleRow() event.Row {
	return event.Row{
		Bucket: 291, Subject: [16]byte{0x12, 0x34}, MessageKey: [16]byte{5}, Kind: int32(event.ProductViewed), OccurredMS: noon.UnixMilli(),
		ReceivedMS: noon.UnixMilli(), Purposes: 0b1010_1000, Cases: []int64{-1, 2, 3}, Keeps: []int64{7, 7, 7}, Policy: "abcdef123456",
		Fields: event.Fields{Product: "B12", Category: "trousers", ProductClass: "standard", PriceCents: 3800, PageType: "product",
			Locale: "de-DE", UAFamily: "Firefox 130", IPPrefix: "192.0.2.0/24", HourBand: "afternoon", DwellMS: 4100},
	}
}

func BenchmarkRowCodec(b *testing.B) {
	r := sampleRow()
	var buf []byte
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendRow(buf[:0], &r)
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := ReadRow(buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
