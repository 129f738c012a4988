package chart

import "strings"

// Beside is one step of Lines.
type Beside struct {
	Label string
	One   float64
	Two   float64
}

// Lines draws two series over the same steps: the first dashed with squares, the
// second whole with dots, so that they differ without colour. one and two name them.
func Lines(h Head, steps []Beside, one, two, across, up string, write func(float64) string) string {
	c := begin(h, plotBottom+72)
	most := 0.0
	for _, s := range steps {
		most = max(most, s.One, s.Two)
	}
	y := c.frame(ticks(0, most, 4), across, up, write)
	room := (plotRight - plotLeft) / float64(max(1, len(steps)))
	at := func(i int) float64 { return plotLeft + (float64(i)+.5)*room }
	every := 1 + int(5*letter/room) // names that would overlap are left out
	for i, s := range steps {
		if i%every == 0 {
			c.label("middle", at(i), plotBottom+17, room*float64(every), s.Label)
		}
	}
	c.series("line2", steps, func(i int) (float64, float64) { return at(i), y.at(steps[i].One) })
	c.series("line", steps, func(i int) (float64, float64) { return at(i), y.at(steps[i].Two) })
	for i, s := range steps {
		c.rect("mark2", at(i)-4, y.at(s.One)-4, 8, 8)
		c.dot("mark", at(i), y.at(s.Two), 3.5)
	}
	c.line("axis", plotLeft, plotBottom, plotRight, plotBottom)
	c.legend(one, two)
	return c.end()
}

func (c *canvas) series(class string, steps []Beside, at func(int) (x, y float64)) {
	points := make([]string, len(steps))
	for i := range steps {
		x, y := at(i)
		points[i] = num(x) + "," + num(y)
	}
	c.words("polyline", "", "class", class, "points", strings.Join(points, " "))
}

func (c *canvas) legend(one, two string) {
	y := plotBottom + 60
	c.line("line2", plotLeft, y-4, plotLeft+28, y-4)
	c.rect("mark2", plotLeft+10, y-8, 8, 8)
	c.text("start", plotLeft+34, y, one)
	x := plotLeft + 60 + float64(len([]rune(one)))*letter
	c.line("line", x, y-4, x+28, y-4)
	c.dot("mark", x+14, y-4, 3.5)
	c.text("start", x+34, y, two)
}
