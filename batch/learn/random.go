package learn

import "math"

// Random is a stream of random numbers that its seed decides: the same seed gives
// the same stream on every machine (SplitMix64; Steele, Lea, Flood, OOPSLA 2014). It is for
// estimates, not for secrets, and not safe for use by several goroutines at once.
type Random struct{ state uint64 }

// NewRandom starts the stream of a seed. Streams of different parts are independent:
// a bootstrap gives each replicate its number as a part.
func NewRandom(seed uint64, parts ...uint64) *Random {
	r := &Random{state: mix(seed)}
	for _, p := range parts {
		r.state = mix(r.state ^ mix(p+golden))
	}
	return r
}

const golden = 0x9e3779b97f4a7c15

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 gives 64 random bits. With Seed it is a source for gonum's distributions.
func (r *Random) Uint64() uint64 {
	r.state += golden
	return mix(r.state)
}

// Seed starts the stream anew.
func (r *Random) Seed(seed uint64) { r.state = mix(seed) }

// Float64 is uniform from 0 to below 1.
func (r *Random) Float64() float64 { return float64(r.Uint64()>>11) / (1 << 53) }

// IntN is uniform from 0 to below n, which must be above 0.
func (r *Random) IntN(n int) int {
	limit := math.MaxUint64 - math.MaxUint64%uint64(n)
	for {
		if x := r.Uint64(); x < limit {
			return int(x % uint64(n))
		}
	}
}

// Normal is standard normal (Box and Muller, 1958).
func (r *Random) Normal() float64 {
	u := 1 - r.Float64() // above 0
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*r.Float64())
}

// Perm is a random order of 0 to n-1 (Fisher and Yates).
func (r *Random) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := r.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}
