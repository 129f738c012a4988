package chart

// Column is one column of Columns. Value is null where it is withheld.
type Column struct {
	Label string
	Value *float64
	Note  string // above it
}

const (
	plotLeft   = 58.0
	plotRight  = width - 12
	plotTop    = 26.0
	plotBottom = 214.0
)

// Columns draws vertical columns from zero, in the order given, with a name for both
// axes. write puts a number of the axis into words.
func Columns(h Head, columns []Column, across, up string, write func(float64) string) string {
	c := begin(h, plotBottom+52)
	most := 0.0
	for _, v := range columns {
		if v.Value != nil {
			most = max(most, *v.Value)
		}
	}
	y := c.frame(ticks(0, most, 4), across, up, write)
	room := (plotRight - plotLeft) / float64(max(1, len(columns)))
	for i, v := range columns {
		left := plotLeft + float64(i)*room
		top := y.at(0)
		if v.Value != nil {
			top = y.at(*v.Value)
			c.rect("bar", left+room*.12, top, room*.76, y.at(0)-top)
		}
		c.label("middle", left+room/2, top-5, room, v.Note)
		c.label("middle", left+room/2, plotBottom+17, room, v.Label)
	}
	c.line("axis", plotLeft, plotBottom, plotRight, plotBottom)
	return c.end()
}

// frame draws the grid over the ticks upward, and the names of both axes.
func (c *canvas) frame(up []float64, across, name string, write func(float64) string) scale {
	y := over(up, plotBottom, plotTop)
	for _, t := range up {
		c.line("grid", plotLeft, y.at(t), plotRight, y.at(t))
		c.text("end", plotLeft-6, y.at(t)+4, write(t))
	}
	c.text("start", 2, 12, name)
	c.text("middle", (plotLeft+plotRight)/2, plotBottom+40, across)
	return y
}
