package segment

import (
	"html/template"
	"math"
	"strconv"

	"github.com/handschlag/handschlag/batch/chart"
)

// figure shows a chart under its title. What package chart made is escaped already.
func figure(h chart.Head, drawn string) template.HTML {
	return template.HTML(`<figure tabindex="0"><figcaption>` + template.HTMLEscapeString(h.Title) + "</figcaption>" + drawn + "</figure>")
}

func (v view) head(id, title, desc string) chart.Head {
	return chart.Head{ID: v.Lang + "-chart-" + id, Title: title, Desc: desc + " " + v.t("Dieselben Zahlen stehen in der Tabelle.", "The table has the same numbers.")}
}

func real64(n *int64) *float64 {
	if n == nil {
		return nil
	}
	x := float64(*n)
	return &x
}

// whole writes the numbers of an axis that counts.
func (v view) whole(x float64) string {
	if x != float64(int64(x)) {
		return ""
	}
	return v.int(int64(x))
}

// noted is a count for the end of a bar.
func (v view) noted(n *int64) string {
	if n == nil {
		return v.t("zurückgehalten", "withheld")
	}
	return v.int(*n)
}

func (v view) SegmentChart() template.HTML {
	bars := []chart.Bar{}
	for _, s := range v.SegmentRows() {
		b := chart.Bar{Label: s.Shown, Value: real64(s.Members), Note: v.noted(s.Members)}
		if s.Delta != nil {
			b.Note += " (" + v.signed(v.int(*s.Delta)) + ")"
		}
		bars = append(bars, b)
	}
	h := v.head("segments", v.t("Mitglieder je Segment", "Members of each segment"), v.t("Waagrechte Balken, je Segment einer; in Klammern die Veränderung.", "Horizontal bars, one a segment; the change in brackets."))
	return figure(h, chart.Bars(h, bars, v.whole))
}

func (v view) ReachChart() template.HTML {
	bars := []chart.Bar{}
	for _, c := range v.R.Cost.Channels {
		b := chart.Bar{Label: c.Channel, Note: v.t("zurückgehalten", "withheld")}
		if c.Reached != nil && c.Lost != nil {
			b.Value, b.Rest = real64(c.Reached), real64(c.Lost)
			b.Note = v.int(*c.Reached) + " / " + v.int(*c.Reached+*c.Lost)
		}
		bars = append(bars, b)
	}
	h := v.head("reach", v.t("Erreichbare Personen je Kanal", "Persons who may be reached, by channel"), v.t("Dunkel: erreichbar; hell: durch fehlende Einwilligung nicht.", "Dark: may be reached; light: lost to missing consent."))
	return figure(h, chart.Bars(h, bars, v.whole))
}

func (v view) UnmetChart() template.HTML {
	bars := []chart.Bar{}
	for _, p := range v.R.Unmet.Products {
		bars = append(bars, chart.Bar{Label: p.Product, Value: real64(p.Persons), Note: v.noted(p.Persons)})
	}
	h := v.head("unmet", v.t("Personen mit ungedecktem Bedarf je Produkt", "Persons with an unmet need, by product"), v.t("Waagrechte Balken, das Produkt mit den meisten Personen zuerst.", "Horizontal bars, the product with most persons first."))
	return figure(h, chart.Bars(h, bars, v.whole))
}

func (v view) SpreadChart() template.HTML {
	columns := []chart.Column{}
	for _, b := range v.R.Value.Spread {
		label := v.float(0, float64(b.FromCents)/100)
		if b.ToCents == 0 {
			label = "≥ " + label
		}
		note := v.noted(b.Persons)
		if b.Persons == nil {
			note = "–"
		}
		columns = append(columns, chart.Column{Label: label, Value: real64(b.Persons), Note: note})
	}
	h := v.head("spread", v.t("Verteilung des erwarteten Werts", "Distribution of expected value"), v.t("Senkrechte Säulen: Personen je Stufe des erwarteten Werts; – ist zurückgehalten.", "Columns: persons by expected value; – is withheld."))
	return figure(h, chart.Columns(h, columns, v.t("erwarteter Wert ab, Währung des Ladens", "expected value from, shop currency"), v.t("Personen", "persons"), v.whole))
}

func (v view) AgainstChart() template.HTML {
	steps := []chart.Beside{}
	for _, b := range v.R.Value.Against {
		if b.Persons != nil && b.Real != nil {
			steps = append(steps, chart.Beside{Label: v.words(b.Group), One: b.Expected, Two: float64(*b.Real)})
		}
	}
	if len(steps) == 0 {
		return ""
	}
	h := v.head("against", v.t("Erwartete und wirkliche Bestellungen", "Expected and real orders"), v.t("Gestrichelt mit Quadraten: erwartet; durchgezogen mit Punkten: wirklich.", "Dashed with squares: expected; whole with dots: real."))
	return figure(h, chart.Lines(h, steps, v.t("erwartet", "expected"), v.t("wirklich", "real"), v.t("Gruppe", "group"), v.t("Bestellungen", "orders"), v.short))
}

// short writes the numbers of an axis with as many decimals as they need, three at most.
func (v view) short(x float64) string {
	for d := range 3 {
		if scaled := x * math.Pow10(d); math.Abs(scaled-math.Round(scaled)) < 1e-6 {
			return v.float(d, x)
		}
	}
	return v.float(3, x)
}

func (v view) shortMoney(x float64) string { return v.short(x / 100) }

func (v view) shortPercent(x float64) string { return v.short(100*x) + " %" }

func (v view) NeedChart() template.HTML {
	all := 0.0
	for _, b := range v.R.Need.Bins {
		if b.N != nil {
			all += float64(*b.N)
		}
	}
	bins := []chart.Bin{}
	for _, b := range v.R.Need.Bins {
		if b.N != nil && all > 0 {
			bins = append(bins, chart.Bin{Predicted: b.Predicted, Observed: b.Observed, Low: b.Low, High: b.High, Weight: float64(*b.N) / all})
		}
	}
	h := v.head("need", v.t("Kalibrierung des Bedarfs", "Calibration of need"), v.t("Beobachteter über vorhergesagtem Anteil, mit Intervallen von 95 %; auf der gestrichelten Linie sind beide gleich. Je größer der Punkt, desto mehr Personen.",
		"Observed over predicted share, with 95 % intervals; on the dashed line both are equal. The larger the dot, the more persons."))
	return figure(h, chart.Calibration(h, bins, v.t("vorhergesagter Anteil", "predicted share"), v.t("beobachteter Anteil", "observed share"), v.shortPercent))
}

func (v view) ArmsChart() template.HTML {
	o := v.R.Offer
	rows := []chart.Row{v.arm(v.t("mit Angebot", "offered"), o.Offered), v.arm(v.t("zurückgehalten", "held out"), o.HeldOut)}
	rows[1].Second = true
	h := v.head("arms", v.t("Anteil, der bestellt, mit und ohne Angebot", "Share who order, with an offer and without"), v.t("Zwei Anteile mit Intervallen von 95 %.", "Two shares with 95 % intervals."))
	return figure(h, chart.Forest(h, rows, nil, v.t("Anteil, der bestellt", "share who order"), v.shortPercent))
}

func (v view) arm(label string, a Arm) chart.Row {
	if a.Conversion == nil {
		return chart.Row{Label: label, Note: v.t("zurückgehalten", "withheld")}
	}
	return chart.Row{Label: label, Mean: &a.Conversion.Mean, Low: a.Conversion.Low, High: a.Conversion.High, Note: v.rate(a.Conversion.Mean)}
}

func (v view) GainChart() template.HTML {
	o, zero := v.R.Offer, 0.0
	row := func(label string, f *Figure) chart.Row {
		if f == nil {
			return chart.Row{Label: label, Note: v.t("zurückgehalten", "withheld")}
		}
		return chart.Row{Label: label, Mean: &f.Mean, Low: f.Low, High: f.High, Note: v.signed(v.money(f.Mean))}
	}
	rows := []chart.Row{row(v.t("Wert je Person", "value per person"), o.NetCents), row(v.t("Gewinn je Angebot", "gain per offer"), o.GainCents)}
	h := v.head("gain", v.t("Wirkung des Angebots in Geld", "Effect of offering in money"), v.t("Zwei Schätzungen mit Intervallen von 95 %; die gestrichelte Linie ist null.", "Two estimates with 95 % intervals; the dashed line is zero."))
	return figure(h, chart.Forest(h, rows, &zero, v.t("Währung des Ladens", "shop currency"), v.shortMoney))
}

func (v view) VariantChart(i int) template.HTML {
	s, rows, veto := v.R.Variants[i], []chart.Row{}, v.t(" Leitplanke", " guardrail")
	for _, r := range s.Rows {
		row := chart.Row{Label: r.Variant, Note: v.t("weiß nicht", "don’t know"), Second: len(r.Vetoes) > 0}
		if r.Estimate != nil {
			row.Mean, row.Low, row.High = &r.Estimate.Mean, r.Estimate.Low, r.Estimate.High
			row.Note = v.ppm(r.NowPPM) + " → " + v.ppm(r.NextPPM)
		}
		if row.Second {
			row.Note = "✗" + veto
		}
		rows = append(rows, row)
	}
	var now *float64
	if s.Promotion != nil {
		now = &s.Promotion.Now.Mean
	}
	h := v.head("variants-"+strconv.Itoa(i), s.Slot+": "+v.t("Schätzungen je Variante", "estimates by variant"), v.t("Schätzungen mit Intervallen von 95 %, daneben der Anteil jetzt und künftig; die gestrichelte Linie ist der Wert der Anteile jetzt, Quadrate verletzen eine Leitplanke.",
		"Estimates with 95 % intervals, beside them the share now and next; the dashed line is the value of the shares now, squares violate a guardrail."))
	write := v.shortPercent
	if s.Unit == "cents" {
		write = v.shortMoney
	}
	return figure(h, chart.Forest(h, rows, now, v.t("Schätzung", "estimate"), write))
}
