package segment

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"strconv"
	"strings"
	"time"
)

// tongue writes words and numbers in one language.
type tongue struct{ Lang string }

func (l tongue) t(de, en string) string {
	if l.Lang == "de" {
		return de
	}
	return en
}

// words are what is said in this language, or in the other if it lacks it.
func (l tongue) words(w Words) string {
	return cmp.Or(l.t(w.De, w.En), w.De, w.En)
}

// float writes a number with decimals and groups of three digits.
func (l tongue) float(decimals int, x float64) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	whole, rest, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + l.t(".", ",") + whole[i:]
	}
	if rest != "" {
		whole += l.t(",", ".") + rest
	}
	if strings.HasPrefix(s, "-") {
		return "−" + whole
	}
	return whole
}

func (l tongue) int(n int64) string { return l.float(0, float64(n)) }

// money writes cents in the shop's currency, which is not named: a shop may have more than one.
func (l tongue) money(cents float64) string { return l.float(2, cents/100) }

func (l tongue) percent(x float64) string { return l.float(1, 100*x) + " %" }

// rate writes a share that may be small.
func (l tongue) rate(x float64) string {
	if math.Abs(x) < .0995 {
		return l.float(2, 100*x) + " %"
	}
	return l.percent(x)
}

// ppm writes a share; a variant always has one, if there is any weight in force.
func (l tongue) ppm(n int64) string {
	if n == 0 {
		return "–"
	}
	return l.percent(float64(n) / 1e6)
}

// unit writes a number of a section that says what it counts in.
func (l tongue) unit(name string) func(float64) string {
	if name == "cents" {
		return l.money
	}
	return l.rate
}

func (l tongue) signed(s string) string {
	if strings.HasPrefix(s, "−") || strings.Trim(s, "0.,% ") == "" {
		return s
	}
	return "+" + s
}

// between writes an estimate with its interval.
func (l tongue) between(f Figure, write func(float64) string) string {
	return fmt.Sprintf("%s (%s %s %s)", write(f.Mean), write(f.Low), l.t("bis", "to"), write(f.High))
}

// none stands where a number is withheld or not known.
func (l tongue) none() template.HTML {
	return template.HTML(`<span aria-hidden="true">–</span><span class="sr">` + l.t("zurückgehalten", "withheld") + `</span>`)
}

// orNone writes a number, or that it is withheld.
func orNone[T any](l tongue, n *T, write func(T) string) any {
	if n == nil {
		return l.none()
	}
	return write(*n)
}

// funcs are what templates write with.
func (l tongue) funcs() template.FuncMap {
	ofCents := func(n int64) string { return l.money(float64(n)) }
	figure := func(write func(float64) string) func(*Figure) any {
		return func(f *Figure) any { return orNone(l, f, func(f Figure) string { return l.between(f, write) }) }
	}
	points := func(x float64) string { return l.float(2, 100*x) }
	return template.FuncMap{
		"t": l.t, "w": l.words, "int": l.int, "float": l.float, "percent": l.percent, "money": ofCents, "share": figure(l.rate),
		"int64":    func(n int) string { return l.int(int64(n)) },
		"count":    func(n *int64) any { return orNone(l, n, l.int) },
		"change":   func(n *int64) any { return orNone(l, n, func(n int64) string { return l.signed(l.int(n)) }) },
		"moneyOf":  func(n *int64) any { return orNone(l, n, ofCents) },
		"cents":    func(x any) any { return l.cents(x) },
		"moneyFig": figure(l.money),
		"points": func(f *Figure) any {
			return orNone(l, f, func(f Figure) string { return l.between(f, points) + l.t(" Prozentpunkte", " percentage points") })
		},
		"in": func(unit string, f Figure) string { return l.between(f, l.unit(unit)) },
		"fig": func(decimals int, f Figure) string {
			return l.between(f, func(x float64) string { return l.float(decimals, x) })
		},
		"from":  func(x *float64) string { return l.edge(x, "−∞") },
		"to":    func(x *float64) string { return l.edge(x, "∞") },
		"p":     l.chance,
		"ppm":   l.ppm,
		"rule":  func(r RuleCount) string { return cmp.Or(l.t(r.De, r.En), r.De, r.En) },
		"offer": l.offer,
		"day":   func(t time.Time) string { return t.Format(time.DateOnly) },
	}
}

// cents writes an amount of a section that is kept as a float.
func (l tongue) cents(x any) any {
	switch x := x.(type) {
	case float64:
		return l.money(x)
	case *float64:
		return orNone(l, x, l.money)
	}
	return l.none()
}

// edge is a bound of the scorecard, or open.
func (l tongue) edge(x *float64, open string) string {
	if x == nil {
		return open
	}
	return strings.TrimSuffix(strings.TrimRight(l.float(3, *x), "0"), l.t(",", "."))
}

// chance writes the p of a test.
func (l tongue) chance(p float64) string {
	if p < .0001 {
		return "< " + l.float(4, .0001)
	}
	return l.float(4, p)
}

func (l tongue) offer(name string) string {
	switch name {
	case "none":
		return l.t("keines", "none")
	case "hint":
		return l.t("ein Hinweis", "a hint")
	case "human":
		return l.t("ein Mensch", "a human")
	}
	return name
}
