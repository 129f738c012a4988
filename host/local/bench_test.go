package local

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/event"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// BenchmarkIngest is what one call of flow.Ingest asks of the host, for known
// visitors, with 64 callers at once.
func BenchmarkIngest(b *testing.B) {
	for _, batch := range []int{1, 20, 100} {
		b.Run(fmt.Sprint("batch ", batch), func(b *testing.B) {
			h := openAt(b, b.TempDir(), Options{Tenant: "bench", Clock: time.Now})
			ids := make([]consent.ID, 2000)
			for i := range ids {
				id, err := consent.NewID(consent.Device, fmt.Sprintf("device-of-visitor-%06d", i))
				ok(b, err)
				ids[i] = id
			}
			var n atomic.Uint64
			b.SetParallelism(64)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := ingest(h, ids[n.Add(1)%uint64(len(ids))], batch, &n); err != nil {
						b.Error(err)
					}
				}
			})
			b.StopTimer()
			ok(b, h.Close())
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/event")
		})
	}
}

func ingest(h *Host, id consent.ID, batch int, n *atomic.Uint64) error {
	who, err := h.Find(ctx, id)
	if err == nil && who.IsZero() {
		who, err = h.Assign(ctx, id)
	}
	if err != nil {
		return err
	}
	st, err := h.State(ctx, who)
	if err != nil {
		return err
	}
	if _, err := h.AccountOf(ctx, who); err != nil {
		return err
	}
	if _, err := h.Profile(ctx, who); err != nil {
		return err
	}
	rows, events := make([]event.Row, batch), make([]event.Event, batch)
	for i := range rows {
		rows[i] = sampleRow()
		k := n.Add(1)
		rows[i].Subject, rows[i].MessageKey = who, [16]byte{byte(k), byte(k >> 8), byte(k >> 16), byte(k >> 24)}
		events[i] = rows[i].Event()
	}
	if err := h.AppendEvents(ctx, rows); err != nil {
		return err
	}
	err = h.UpdateProfile(ctx, who, []flow.StateAt{{Subject: who, Version: st.Version}}, func(p profile.Profile) profile.Profile { return p.Apply(events) })
	if err != nil {
		return err
	}
	return h.Count(ctx, noon, map[string]int64{"admitted": int64(batch)})
}

// BenchmarkCompact turns one day of 300,000 events into Parquet.
func BenchmarkCompact(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		h := openAt(b, b.TempDir(), options())
		var rows []event.Row
		for i := range 300_000 {
			r := sampleRow()
			r.Subject = [16]byte{byte(i), byte(i >> 8), byte(i >> 12)}
			r.Bucket, r.Purposes, r.Cases, r.Keeps = int32(consent.Subject(r.Subject).Bucket()), 1, []int64{1}, []int64{1<<26 - 1}
			r.MessageKey = [16]byte{byte(i), byte(i >> 8), byte(i >> 16)}
			if rows = append(rows, r); len(rows) == 1000 {
				ok(b, h.AppendEvents(ctx, rows))
				rows = rows[:0]
			}
		}
		b.StartTimer()
		ok(b, h.Snapshot(ctx, noon.Add(aDay), b.TempDir()))
		b.StopTimer()
		ok(b, h.Close())
		b.StartTimer()
	}
}

func sampleRow() event.Row {
	return event.Row{
		Bucket: 291, Subject: [16]byte{0x12, 0x34}, MessageKey: [16]byte{5}, Kind: int32(event.ProductViewed), OccurredMS: noon.UnixMilli(),
		ReceivedMS: noon.UnixMilli(), Purposes: 0b1010_1000, Cases: []int64{-1, 2, 3}, Keeps: []int64{7, 7, 7}, Policy: "abcdef123456",
		Fields: event.Fields{Product: "B12", Category: "trousers", ProductClass: "standard", PriceCents: 3800, PageType: "product",
			Locale: "de-DE", UAFamily: "Firefox 130", IPPrefix: "192.0.2.0/24", HourBand: "afternoon", DwellMS: 4100},
	}
}
