package chart

// Bar is one row of Bars. Value is null where it is withheld; then Note alone stands.
type Bar struct {
	Label string
	Value *float64
	Rest  *float64 // lies behind Value's end, such as who is not reached
	Note  string   // between label and bar, where a narrow page that scrolls shows it
}

const (
	barRow  = 24.0
	barName = 186.0
	barNote = 126.0
	barZero = barName + barNote
)

// Bars draws rows of horizontal bars from zero, in the order given. Value and Rest
// may not be negative. write puts a number of the axis into words.
func Bars(h Head, bars []Bar, write func(float64) string) string {
	height := float64(len(bars))*barRow + 28
	c := begin(h, height)
	at := ticks(0, longest(bars), 4)
	x := over(at, barZero, width-26)
	for _, t := range at {
		c.line("grid", x.at(t), 4, x.at(t), height-22)
		c.text("middle", x.at(t), height-6, write(t))
	}
	for i, b := range bars {
		c.bar(b, x, float64(i)*barRow+6)
	}
	c.line("axis", barZero, 4, barZero, height-22)
	return c.end()
}

func (c *canvas) bar(b Bar, x scale, y float64) {
	c.label("end", barName-8, y+13, barName-16, b.Label)
	c.label("end", barZero-8, y+13, barNote-16, b.Note)
	end := x.at(0)
	if b.Value != nil {
		c.rect("bar", end, y, x.at(*b.Value)-end, barRow-8)
		end = x.at(*b.Value)
		if b.Rest != nil {
			c.rect("rest", end, y, x.at(*b.Value+*b.Rest)-end, barRow-8)
		}
	}
}

func longest(bars []Bar) (most float64) {
	for _, b := range bars {
		sum := 0.0
		for _, v := range []*float64{b.Value, b.Rest} {
			if v != nil {
				sum += *v
			}
		}
		most = max(most, sum)
	}
	return most
}
