package variant

import (
	"errors"
	"hash/fnv"
	"math"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// seen is (G+D)⁻¹ on the variants with a sampling variance, and 0 elsewhere.
func seen(g *mat.SymDense, d []float64) (*mat.SymDense, error) {
	var at []int
	for i, v := range d {
		if v > 0 {
			at = append(at, i)
		}
	}
	out := mat.NewSymDense(len(d), nil)
	if len(at) == 0 {
		return out, nil
	}
	if mat.Norm(g, 1) == 0 {
		for _, i := range at {
			out.SetSym(i, i, 1/d[i])
		}
		return out, nil
	}
	sub := mat.NewSymDense(len(at), nil)
	for i, x := range at {
		for j, y := range at[:i+1] {
			sub.SetSym(i, j, g.At(x, y))
		}
		sub.SetSym(i, i, g.At(x, x)+d[x])
	}
	inverse, err := invert(sub)
	if err != nil {
		return nil, err
	}
	for i, x := range at {
		for j, y := range at[:i+1] {
			out.SetSym(x, y, inverse.At(i, j))
		}
	}
	return out, nil
}

// invert uses LAPACK without gonum's Cholesky, which would estimate a condition number too.
func invert(a *mat.SymDense) (*mat.SymDense, error) {
	out := mat.NewSymDense(a.SymmetricDim(), nil)
	out.CopySym(a)
	root, ok := lapack64.Potrf(out.RawSymmetric())
	if ok {
		_, ok = lapack64.Potri(root) // in place
	}
	if !ok {
		return nil, errors.New("a covariance is not positive definite: the sums of the cells contradict one another")
	}
	return out, nil
}

func addScaled(sum *mat.SymDense, parts []*mat.SymDense, by []float64) {
	x := sum.RawSymmetric()
	for k, part := range parts {
		y := part.RawSymmetric()
		for i := range x.N {
			row, other := x.Data[i*x.Stride:i*x.Stride+x.N], y.Data[i*y.Stride:i*y.Stride+x.N]
			for j := i; j < x.N; j++ {
				row[j] += by[k] * other[j]
			}
		}
	}
}

func times(a *mat.SymDense, x mat.Vector) *mat.VecDense {
	out := mat.NewVecDense(x.Len(), nil)
	out.MulVec(a, x)
	return out
}

// less is W − W·M·W; diagonal says that W is.
func less(w, m *mat.SymDense, diagonal bool) *mat.SymDense {
	n := w.SymmetricDim()
	out := mat.NewSymDense(n, nil)
	if diagonal {
		for i := range n {
			for j := i; j < n; j++ {
				out.SetSym(i, j, -w.At(i, i)*m.At(i, j)*w.At(j, j))
			}
			out.SetSym(i, i, out.At(i, i)+w.At(i, i))
		}
		return out
	}
	var wm, wmw mat.Dense
	wm.Mul(w, m)
	wmw.Mul(&wm, w)
	for i := range n {
		for j := i; j < n; j++ {
			out.SetSym(i, j, w.At(i, j)-wmw.At(i, j))
		}
	}
	return out
}

// dot is the trace of A·B.
func dot(a, b *mat.SymDense) float64 {
	x, y, sum := a.RawSymmetric(), b.RawSymmetric(), 0.0
	for i := range x.N { // the upper triangles, row by row
		row, other := x.Data[i*x.Stride:i*x.Stride+x.N], y.Data[i*y.Stride:i*y.Stride+x.N]
		sum += row[i] * other[i]
		for j := i + 1; j < x.N; j++ {
			sum += 2 * row[j] * other[j]
		}
	}
	return sum
}

// lower is a triangular root of a covariance, as rows; directions without any spread are 0.
func lower(a *mat.SymDense) [][]float64 {
	n := a.SymmetricDim()
	l := make([][]float64, n)
	for i := range n {
		l[i] = make([]float64, i+1)
		for j := range i + 1 {
			s := a.At(i, j)
			for k := range j {
				s -= l[i][k] * l[j][k]
			}
			switch {
			case i == j:
				l[i][i] = math.Sqrt(max(0, s))
			case l[j][j] > 0:
				l[i][j] = s / l[j][j]
			}
		}
	}
	return l
}

// normalQuantile is the z of a two-sided interval of the level.
func normalQuantile(level float64) float64 { return distuv.UnitNormal.Quantile(.5 + level/2) }

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text))
	return h.Sum64()
}
