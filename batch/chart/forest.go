package chart

// Row is one estimate of Forest. Mean is null where nothing is known; then Note
// alone stands.
type Row struct {
	Label     string
	Mean      *float64
	Low, High float64
	Note      string
	Second    bool // drawn as a square in the second colour: a rival, or a veto
}

const (
	forestRow  = 22.0
	forestName = 176.0
	forestNote = 150.0
)

// Forest draws estimates with their intervals, one a row, in the order given, and
// the reference as a dashed line where there is one.
func Forest(h Head, rows []Row, ref *float64, across string, write func(float64) string) string {
	height := float64(len(rows))*forestRow + 50
	c := begin(h, height)
	low, high := span(rows, ref)
	at := ticks(low, high, 4)
	x := over(at, forestName+10, width-forestNote-10)
	bottom := height - 44
	for _, t := range at {
		c.line("grid", x.at(t), 2, x.at(t), bottom)
		c.text("middle", x.at(t), bottom+16, write(t))
	}
	if ref != nil {
		c.line("ref", x.at(*ref), 2, x.at(*ref), bottom)
	}
	for i, r := range rows {
		c.row(r, x, float64(i)*forestRow+forestRow/2+2)
	}
	c.text("middle", (forestName+width-forestNote)/2, bottom+36, across)
	return c.end()
}

func (c *canvas) row(r Row, x scale, y float64) {
	c.label("end", forestName, y+4, forestName-6, r.Label)
	c.label("start", width-forestNote+8, y+4, forestNote-8, r.Note)
	if r.Mean == nil {
		return
	}
	line := "line"
	if r.Second {
		line = "line2"
	}
	c.line(line, x.at(r.Low), y, x.at(r.High), y)
	if r.Second {
		c.rect("mark2", x.at(*r.Mean)-4, y-4, 8, 8)
	} else {
		c.dot("mark", x.at(*r.Mean), y, 4)
	}
}

// span is from the least to the largest number shown.
func span(rows []Row, ref *float64) (low, high float64) {
	first := true
	add := func(xs ...float64) {
		for _, v := range xs {
			if first {
				low, high, first = v, v, false
			}
			low, high = min(low, v), max(high, v)
		}
	}
	if ref != nil {
		add(*ref)
	}
	for _, r := range rows {
		if r.Mean != nil {
			add(r.Low, *r.Mean, r.High)
		}
	}
	return low, high
}
