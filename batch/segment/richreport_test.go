package segment

import (
	"fmt"
	"math"
	"time"

	"github.com/handschlag/handschlag/batch/learn"
)

func at[T any](x T) *T { return &x }

// shown is a number of persons as the night tells it.
func shown(n int64) *int64 { return inSteps(n, 25) }

// richReport is a night on which everything is known: numbers as an estimate gives
// them, names long and short, groups withheld among others.
func richReport() Report {
	r := emptyReport()
	r.Persons, r.Buyers = at(int64(48_210)), at(int64(6_132))
	r.Thresholds = Thresholds{[]int64{4, 12, 29, 57}, []int64{1, 1, 2, 3}, []int64{1990, 4580, 9900, 21450}}
	r.Fresh = Freshness{LastDay: "2026-11-20", AgeDays: 0, Events: 184_233, Missing: []string{"2026-11-07"}}
	richSegments(&r)
	r.Features = []FeatureCount{{Columns[0], at(int64(40_120))}, {Columns[1], nil}}
	r.Use = []KindCount{{"product_viewed", 120_412}, {"products_searched", 30_811}}
	r.Totals = map[string]int64{"admitted": 1_204_551, "refused": 310_228, "invalid": 412, "duplicate": 1_022}
	r.Refusals = []RuleCount{{"CON-11", "Ohne Einwilligung wird nichts ausgewertet.", "Without consent nothing is evaluated.", 290_118}, {"BAT-04", "Das Ereignis liegt in der Zukunft.", "The event lies in the future.", 20_110}}
	r.LeftOut = []RuleCount{{"BAT-03", "Die Einwilligung wurde widerrufen.", "The consent was withdrawn.", 310}}
	r.Offers = []OfferCount{{"human", 812, r.Refusals[:1]}, {"none", 10_231, r.Refusals}}
	r.Value, r.Need, r.Offer, r.Variants = richValue(), richNeed(), richOffer(), []VariantSection{richSlot("home_hero", 40), {Slot: "cart_note", Reason: &Words{"Erst 12 Anzeigen.", "Only 12 views so far."}, Rows: []VariantRow{{Variant: "a", N: at(int64(12)), NowPPM: 500_000, NextPPM: 500_000}}}}
	r.Unmet = richUnmet()
	r.Micro = []MicroSegment{{1, Words{"oft und viel", "often and much"}, at(int64(412)), 9, 4, 21_450}, {2, Words{"lange her", "long ago"}, nil, 0, 0, 0}}
	r.Prices = &PriceFairness{Since: at(r.AsOf.AddDate(0, 0, -90)), Denied: []RuleCount{{"PRI-09", "Der Preis darf sich nicht nach dem Gerät richten.", "The price must not follow the device.", 16}}, Storefronts: []StorefrontPrice{
		{"de", "web", 120_412, 16, 3_120, 88, 0, 9_120, 0}, {"at", "app", 10_012, 0, 310, 2, 0, 812, 3}}}
	r.Cost = &Cost{Events: 184_233, Channels: []ChannelCost{
		{"email", "marketing_email", at(int64(41_200)), at(int64(15_800)), at(int64(25_400)), at(int64(2_125)), at(int64(81_203_311))}, {"ads", "ads_third_party", at(int64(41_200)), nil, nil, nil, nil}},
		Fields: []FieldCost{{"query_words", 184_233}, {"ip_prefix", 184_233}}}
	r.Protection = &Protection{Days: 14, Orders: at(int64(50)), Lines: at(int64(75)), RefundCents: at(int64(31_000)), Before: at(int64(25))}
	r.Decisions, r.Slots = map[string]int64{"price": 130_424, "escalate": 11_043}, map[string]int{"home_hero": 40, "cart_note": 1}
	r.Retention = []Kept{kept(keptEvents, 30, "2026-10-22", byHost)}
	r.LetGo = []LetGo{{Words{"Ereignisse", "events"}, []string{"2026-10-21"}, at(int64(170_000))}}
	r.Files = []ReportFile{{Name: "regulars.email.csv", Rows: at(int64(15_800)), SHA256: fmt.Sprintf("%064x", 7)}}
	return r
}

// emptyReport is a night that knows nothing.
func emptyReport() Report {
	return Report{AsOf: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), Tenant: "shop", K: 25, Totals: map[string]int64{}, Weights: fmt.Sprintf("%064x", 1)}
}

func richSegments(r *Report) {
	for i, s := range []struct{ name, de, en string }{
		{"first_visits", "Erste Besuche", "First visits"}, {"looking_not_buying", "Schauen, ohne zu kaufen, seit mehr als vier Wochen", "Looking for more than four weeks without buying"},
		{"regulars", "Stammkundschaft", "Regulars"}, {"drifting_away", "Bleiben weg", "Drifting away"}, {"most_valuable", "Höchste Wertstufe", "Most valuable"},
	} {
		seg := Segment{Name: s.name, Title: map[string]string{"de": s.de, "en": s.en}, Members: at(int64(21_000 / (i + 1))), Channels: []Reach{
			{Channel: "email", Published: true, Rows: at(int64(9_000 / (i + 1))), Loss: at(int64(12_000 / (i + 1)))}, {Channel: "ads"}}}
		change := SegmentChange{Segment: s.name, Before: at(int64(20_000 / (i + 1))), Change: at(int64(1_000 / (i + 1)))}
		if i == 4 {
			seg.Members, seg.Withheld, seg.Channels = nil, "under_k", []Reach{{Channel: "email"}, {Channel: "ads"}}
			change = SegmentChange{Segment: s.name, Withheld: "withheld_now"}
		}
		if i == 2 {
			change.Change = at(int64(-412))
		}
		r.Segments, r.Changes = append(r.Segments, seg), append(r.Changes, change)
	}
}

func richValue() *ValueSection {
	v := &ValueSection{Known: true, Model: "Slowing, Gamma-Gamma", Choice: &ValueChoice{28, .412, .398}, HorizonDays: 90, Persons: at(int64(6_132)), Parameters: []Parameter{{"r", .243}, {"α", 4.414}, {"a", .793}, {"b", 2.426}},
		Flags: []Words{{"Die Ausstiegsrate ist nahe null: die Vorhersage ist zu hoch.", "The drop-out rate is near zero: the forecast is too high."}}}
	for i, n := range []int64{2200, 1700, 1100, 640, 300, 120, 60} {
		v.Spread = append(v.Spread, ValueBin{int64(i) * 2500, int64(i+1) * 2500, at(n)})
	}
	v.Spread = append(v.Spread, ValueBin{17_500, 0, nil})
	for i := range 5 {
		v.Tiers = append(v.Tiers, ValueTier{i + 1, at(int64(1226)), at(float64(i)*3000 + 1411)})
	}
	for i := range 7 {
		v.Against = append(v.Against, ValueBeside{Words{fmt.Sprintf("%d zuvor", i), fmt.Sprintf("%d before", i)}, at(int64(900 - 100*i)), 120 + 55*float64(i), at(int64(100 + 75*i))})
	}
	return v
}

func richNeed() *NeedSection {
	s := &NeedSection{Known: true, Version: "2026-11-20", Sessions: at(int64(84_120)), Needing: at(int64(9_812)), AUC: Figure{.8123, .8051, .8190}, Plain: .7911, Error: .0142, Verdict: Calibrated}
	for i := range 10 {
		p := .02 + .06*float64(i)
		b := CalibrationBin{PredictedLow: p - .02, PredictedHigh: p + .04, Predicted: p, Observed: p + .02*math.Sin(float64(i)), N: at(int64(20_000 >> i))}
		b.Low, b.High = b.Observed-.01*float64(i+1)/2, b.Observed+.01*float64(i+1)/2
		if i == 9 {
			b = CalibrationBin{PredictedLow: p - .02, PredictedHigh: 1}
		}
		s.Bins = append(s.Bins, b)
	}
	s.Points = []CardPoint{{"product_views_max", nil, at(3.0), 0}, {"product_views_max", at(3.0), nil, 12}, {"size_guide_opens", at(1.0), nil, 9}}
	return s
}

func richOffer() *OfferSection {
	return &OfferSection{Known: true, Recommend: true, Offered: Arm{at(int64(9_120)), &Figure{.0821, .0766, .0879}, at(812.5)}, HeldOut: Arm{at(int64(480)), &Figure{.0604, .0421, .0849}, at(590.1)},
		Conversion: &Figure{.0217, .0011, .0411}, NetCents: &Figure{222.4, 21.2, 431.9}, Q: &Figure{.0203, .0081, .0322}, AdviserCents: at(140.0), GainCents: &Figure{82.4, -118.8, 291.9}, Target: at(int64(1_204)),
		Advice: &Words{"Hilfe anbieten, wo der erwartete Gewinn über null liegt.", "Offer help where the expected gain is above zero."}}
}

func richSlot(name string, n int) VariantSection {
	s := VariantSection{Slot: name, Known: true, Metric: &Words{"Bestellungen je Anzeige", "orders per view"}, Alarm: &RatioAlarm{at(int64(412_000)), 61.2, n - 1, .00004, true},
		Promotion: &Promotion{at(int64(412_000)), true, Words{"Die untere Grenze liegt über dem heutigen Wert.", "The lower bound is above the value now."}, Figure{.0301, .0295, .0307}, Figure{.0333, .0312, .0354}, 41_233.5}}
	random := learn.NewRandom(7)
	for i := range n {
		mean := .02 + .02*random.Float64()
		wide := .001 + .006*random.Float64()
		row := VariantRow{Variant: fmt.Sprintf("headline%d-image%d-proof%d", i/8, i/2%4, i%2), Factors: map[string]string{"headline": fmt.Sprint(i / 8), "image": fmt.Sprint(i / 2 % 4)}, N: at(int64(9000 + 50*i)), Estimate: &Figure{mean, mean - wide, mean + wide}, NowPPM: 25_000, NextPPM: int64(5_000 + 1_000*i)}
		switch i {
		case 3:
			row.Vetoes = []Words{{"mehr Rückgaben", "more returns"}}
		case 5:
			row.Estimate = nil
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

func richUnmet() *Unmet {
	u := &Unmet{Days: 7, Searches: at(int64(2_200)), Asked: at(int64(30_800))}
	for i := range 20 {
		n := int64(900 / (i + 1))
		u.Products = append(u.Products, UnmetProduct{Product: fmt.Sprintf("B%04d", 97*i), Persons: shown(n), Searched: shown(n / 3), Returned: shown(n / 2), Guide: shown(n / 5), Compared: shown(n / 6), Left: shown(n / 7), NoHelp: shown(n / 8), Ordered: shown(n / 4)})
	}
	u.Products[3].Product = "designer-bag-with-a-very-long-article-number-0042"
	return u
}
