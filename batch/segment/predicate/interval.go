package predicate

import "math"

// Interval holds every value that a number may have, both ends included.
type Interval struct{ Least, Most float64 }

var anything = Interval{math.Inf(-1), math.Inf(1)}

func (a Interval) empty() bool { return a.Least > a.Most }

func (a Interval) meet(b Interval) Interval {
	return Interval{max(a.Least, b.Least), min(a.Most, b.Most)}
}

func (a Interval) join(b Interval) Interval {
	return Interval{min(a.Least, b.Least), max(a.Most, b.Most)}
}

// Domain is what the values of each column may be; one that it lacks may be anything.
type Domain map[string]Interval

// number gives an interval that holds every value of an expression in a domain. It
// may be wider than need be, never narrower; what it does not know is anything.
func (n node) number(d Domain) Interval {
	switch n.class {
	case "COLUMN_REF":
		if i, ok := d[n.name]; ok {
			return i
		}
	case "CONSTANT":
		if f, ok := n.value.(float64); ok && !math.IsNaN(f) {
			return Interval{f, f}
		}
	case "FUNCTION":
		return n.arithmetic(d)
	case "CASE":
		return n.either(d)
	case "OPERATOR":
		if n.kind == "OPERATOR_COALESCE" && len(n.args) > 0 {
			out := n.args[0].number(d)
			for _, a := range n.args[1:] {
				out = out.join(a.number(d))
			}
			return out
		}
	}
	return anything
}

// either joins the outcomes of a CASE: args are when, then, when, then, …, else.
func (n node) either(d Domain) Interval {
	if len(n.args)%2 == 0 || len(n.args) == 0 {
		return anything
	}
	out := n.args[len(n.args)-1].number(d)
	for i := 1; i < len(n.args)-1; i += 2 {
		out = out.join(n.args[i].number(d))
	}
	return out
}

func (n node) arithmetic(d Domain) Interval {
	var in []Interval
	for _, a := range n.args {
		in = append(in, a.number(d))
	}
	switch {
	case n.name == "-" && len(in) == 1:
		return Interval{-in[0].Most, -in[0].Least}
	case n.name == "+" && len(in) == 2:
		return sound(in[0].Least+in[1].Least, in[0].Most+in[1].Most)
	case n.name == "-" && len(in) == 2:
		return sound(in[0].Least-in[1].Most, in[0].Most-in[1].Least)
	case n.name == "*" && len(in) == 2:
		return product(in[0], in[1])
	case n.name == "abs" && len(in) == 1:
		if in[0].Least >= 0 {
			return in[0]
		}
		return Interval{max(0, -in[0].Most), max(-in[0].Least, in[0].Most)}
	case n.name == "sign" && len(in) == 1:
		return Interval{-1, 1}
	case n.name == "%" && len(in) == 2:
		most := max(math.Abs(in[1].Least), math.Abs(in[1].Most))
		return Interval{-most, most}
	case (n.name == "least" || n.name == "greatest") && len(in) > 0:
		out := in[0]
		for _, i := range in[1:] {
			if n.name == "least" {
				out = Interval{min(out.Least, i.Least), min(out.Most, i.Most)}
			} else {
				out = Interval{max(out.Least, i.Least), max(out.Most, i.Most)}
			}
		}
		return out
	}
	return anything
}

// sound gives up where infinities cancel.
func sound(least, most float64) Interval {
	if math.IsNaN(least) {
		least = math.Inf(-1)
	}
	if math.IsNaN(most) {
		most = math.Inf(1)
	}
	return Interval{least, most}
}

func product(a, b Interval) Interval {
	out := Interval{math.Inf(1), math.Inf(-1)}
	for _, x := range []float64{a.Least, a.Most} {
		for _, y := range []float64{b.Least, b.Most} {
			p := x * y
			if math.IsNaN(p) { // nothing times anything
				p = 0
			}
			out = out.join(Interval{p, p})
		}
	}
	return out
}
