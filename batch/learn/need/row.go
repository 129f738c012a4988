package need

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Row is one observation: its features in the order of the specification, and the outcome.
type Row struct {
	X      []float64
	Y      bool
	Weight float64 // of the row; 0 counts as 1
	Group  uint64  // rows of one group (a subject) are never split between fit and check, and count as one draw; 0: on its own
	Block  uint64  // rows of one block (a month) are checked together, by a fit on the others; 0: by chance
}

// Feature says what a feature is and how its points may run.
type Feature struct {
	Name   string
	Shape  Shape
	MinBin int      // fewest rows of a bin; 0: Options.MinBin
	Levels []string // Named alone: the names of the values 0, 1, 2 …
}

// Shape is how points may run over the values of a feature.
type Shape int

// The shapes.
const (
	Free    Shape = iota // neighbouring bins are close, up or down
	Rising               // more never earns less
	Falling              // more never earns more
	Named                // values are names without an order
)

var shapeNames = []string{"free", "rising", "falling", "named"}

// String names the shape.
func (s Shape) String() string { return shapeNames[s] }

// ShapeOf reads the name of a shape.
func ShapeOf(name string) (Shape, error) {
	if i := slices.Index(shapeNames, name); i >= 0 {
		return Shape(i), nil
	}
	return 0, fmt.Errorf("%q is no shape; want one of %q", name, shapeNames)
}

func (r Row) weight() float64 {
	if r.Weight == 0 {
		return 1
	}
	return r.Weight
}

// check refuses rows that no card can be fitted on.
func check(rows []Row, specs []Feature) error {
	var errs []error
	seen := map[string]bool{}
	for _, f := range specs {
		if f.Name == "" || seen[f.Name] {
			errs = append(errs, fmt.Errorf("feature %q: it has no name of its own", f.Name))
		}
		seen[f.Name] = true
	}
	for i, r := range rows {
		if err := r.check(specs); err != nil {
			return errors.Join(append(errs, fmt.Errorf("row %d: %w", i, err))...)
		}
	}
	return errors.Join(errs...)
}

func (r Row) check(specs []Feature) error {
	if len(r.X) != len(specs) {
		return fmt.Errorf("it has %d features, and %d are specified", len(r.X), len(specs))
	}
	if r.Weight < 0 || math.IsNaN(r.Weight) || math.IsInf(r.Weight, 0) {
		return fmt.Errorf("its weight is %v", r.Weight)
	}
	for j, x := range r.X {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("feature %q is %v", specs[j].Name, x)
		}
		if specs[j].Shape == Named && (x != math.Trunc(x) || x < 0 || int(x) >= len(specs[j].Levels)) {
			return fmt.Errorf("feature %q is %v, and its names are %q", specs[j].Name, x, specs[j].Levels)
		}
	}
	return nil
}

// inOrder copies rows into an order that only their content decides.
func inOrder(rows []Row) []Row {
	out := slices.Clone(rows)
	slices.SortFunc(out, func(a, b Row) int {
		y := 0
		if a.Y != b.Y {
			if y = 1; b.Y {
				y = -1
			}
		}
		return cmp.Or(slices.Compare(a.X, b.X), y, cmp.Compare(a.Group, b.Group), cmp.Compare(a.Block, b.Block), cmp.Compare(a.weight(), b.weight()))
	})
	return out
}
