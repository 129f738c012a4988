// Package chart draws the few kinds of chart that a report needs, as SVG for the
// inside of an HTML page: bars, columns, lines, calibration and forest plots.
//
// The same data give the same bytes. A chart has a title and a description for who
// does not see it, holds no script, style or address, and takes its colours from
// the page by class (bar, bar2, rest, mark, mark2, line, line2, ref, grid, axis), so
// that light, dark and print differ in the page alone. What the numbers mean, and in
// which words, is for whoever calls.
package chart

import (
	"html"
	"math"
	"strconv"
	"strings"
)

// Head names a chart. The ID must be unique on the page.
type Head struct {
	ID    string
	Title string
	Desc  string // says in words what the chart shows
}

// width is that of every chart, in its own units; a letter is about 7 of them wide.
const (
	width  = 600.0
	letter = 7.0
)

// canvas collects the elements of a chart.
type canvas struct{ strings.Builder }

// begin opens a chart of a height.
func begin(h Head, height float64) *canvas {
	c := &canvas{}
	c.open("svg", "class", "chart", "viewBox", "0 0 "+num(width)+" "+num(height), "role", "img", "aria-labelledby", h.ID+"-t "+h.ID+"-d")
	c.words("title", h.Title, "id", h.ID+"-t")
	c.words("desc", h.Desc, "id", h.ID+"-d")
	c.rect("sheet", 0, 0, width, height) // a browser that forces pages dark leaves text and shapes of a drawing as they are
	return c
}

func (c *canvas) end() string {
	c.WriteString("</svg>")
	return c.String()
}

// open writes a start tag with attributes in pairs.
func (c *canvas) open(name string, pairs ...string) {
	c.WriteString("<" + name)
	for i := 0; i < len(pairs); i += 2 {
		c.WriteString(" " + pairs[i] + `="` + html.EscapeString(pairs[i+1]) + `"`)
	}
	c.WriteString(">")
}

// words writes an element that holds text.
func (c *canvas) words(name, text string, pairs ...string) {
	c.open(name, pairs...)
	c.WriteString(html.EscapeString(text) + "</" + name + ">")
}

func (c *canvas) line(class string, x1, y1, x2, y2 float64) {
	c.words("line", "", "class", class, "x1", num(x1), "y1", num(y1), "x2", num(x2), "y2", num(y2))
}

func (c *canvas) rect(class string, x, y, w, h float64) {
	c.words("rect", "", "class", class, "x", num(x), "y", num(y), "width", num(max(0, w)), "height", num(max(0, h)))
}

func (c *canvas) dot(class string, x, y, r float64) {
	c.words("circle", "", "class", class, "cx", num(x), "cy", num(y), "r", num(r))
}

// text writes a line of text; anchor is start, middle or end.
func (c *canvas) text(anchor string, x, y float64, s string) {
	c.words("text", s, "x", num(x), "y", num(y), "text-anchor", anchor)
}

// label is text cut to a width, whole in its tooltip.
func (c *canvas) label(anchor string, x, y, room float64, s string) {
	short := cut(s, room)
	if short == s {
		c.text(anchor, x, y, s)
		return
	}
	c.open("text", "x", num(x), "y", num(y), "text-anchor", anchor)
	c.words("title", s)
	c.WriteString(html.EscapeString(short) + "</text>")
}

// cut shortens a text to a width.
func cut(s string, room float64) string {
	whole := 0.0
	for _, r := range s {
		whole += breadth(r)
	}
	if whole <= room {
		return s
	}
	used := letter // of the dots
	for i, r := range s {
		if used += breadth(r); used > room {
			return strings.TrimSpace(s[:i]) + "…"
		}
	}
	return s
}

// breadth is a letter's: those beyond Latin, Greek and Cyrillic count twice.
func breadth(r rune) float64 {
	if r >= 0x1100 {
		return 2 * letter
	}
	return letter
}

// num writes a coordinate: one decimal at most.
func num(x float64) string {
	return strconv.FormatFloat(math.Round(x*10)/10+0, 'f', -1, 64)
}

// scale maps numbers to coordinates.
type scale struct{ low, high, from, to float64 }

func (s scale) at(x float64) float64 {
	if s.high == s.low {
		return s.from
	}
	return s.from + (x-s.low)/(s.high-s.low)*(s.to-s.from)
}

// ticks are about n round numbers that span what is shown; the outer two may widen it.
func ticks(low, high float64, n int) []float64 {
	if !(high > low) {
		high = low + 1
	}
	raw := (high - low) / float64(n)
	step := math.Pow(10, math.Floor(math.Log10(raw)))
	switch r := raw / step; {
	case r > 5:
		step *= 10
	case r > 2:
		step *= 5
	case r > 1:
		step *= 2
	}
	first, last := math.Floor(low/step+1e-9), math.Ceil(high/step-1e-9)
	out := make([]float64, 0, int(last-first)+1)
	for i := first; i <= last; i++ {
		out = append(out, i*step)
	}
	return out
}

// over is the scale that some ticks span.
func over(at []float64, from, to float64) scale { return scale{at[0], at[len(at)-1], from, to} }
