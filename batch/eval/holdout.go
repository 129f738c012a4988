package eval

// Holdout is rows that a fitted model is judged by and that no fit may see.
type Holdout[T any] struct {
	name string
	rows []T
}

// Hold keeps rows apart under a name, such as "online-shoppers, row mod 10 ≥ 7".
func Hold[T any](name string, rows []T) Holdout[T] { return Holdout[T]{name, rows} }

// Len is the number of rows; it opens nothing.
func (h Holdout[T]) Len() int { return len(h.rows) }

// Open gives the rows, and tells that they were looked at.
func (h Holdout[T]) Open(o Options) []T {
	if o.Opened != nil {
		o.Opened(h.name)
	}
	return h.rows
}
