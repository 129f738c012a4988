package signal

import (
	"errors"
	"fmt"
	"strings"
)

var (
	errShort = errors.New("ends too early")
	errTail  = errors.New("has bits after its end")
)

// alphabet is base64url, whose every character is six bits.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// bits reads big-endian fields. After an error every read gives 0, so that a
// decoder asks once, at the end.
type bits struct {
	chars []byte // six bits each
	at, n int    // next bit, number of bits
	err   error
}

// newBits reads base64url without padding characters, to the last bit.
func newBits(s string) *bits {
	b := &bits{chars: make([]byte, len(s)), n: 6 * len(s)}
	for i := range len(s) {
		k := strings.IndexByte(alphabet, s[i])
		if k < 0 {
			b.err = fmt.Errorf("character %d is not base64url", i)
			return b
		}
		b.chars[i] = byte(k)
	}
	return b
}

// newBytes is newBits for a string that encodes whole bytes.
func newBytes(s string) *bits {
	b := newBits(s)
	if len(s)%4 == 1 {
		b.fail(errors.New("does not encode whole bytes"))
	}
	spare := b.n % 8
	if b.err == nil && spare > 0 && b.chars[len(s)-1]&(1<<spare-1) != 0 {
		b.fail(errTail)
	}
	b.n -= spare
	return b
}

func (b *bits) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// int reads n bits, at most 63.
func (b *bits) int(n int) int {
	if b.at+n > b.n {
		b.fail(errShort)
	}
	v := 0
	for range n {
		if b.err != nil {
			return 0
		}
		v = v<<1 | int(b.chars[b.at/6]>>(5-b.at%6))&1
		b.at++
	}
	return v
}

func (b *bits) bool() bool { return b.int(1) == 1 }

// fibonacci reads a number in Fibonacci coding (GPP), at most limit.
func (b *bits) fibonacci(limit int) int {
	sum, weight, next, last := 0, 1, 2, false
	for b.err == nil {
		one := b.bool()
		if one && last {
			return sum
		}
		if one {
			sum += weight
		}
		if last, weight, next = one, next, weight+next; sum > limit || weight > 2*limit+2 {
			b.fail(fmt.Errorf("a number is above %d", limit))
		}
	}
	return 0
}

// end reports the first error, or that what is left is not padding.
func (b *bits) end() error {
	for b.err == nil && b.at < b.n {
		if b.bool() {
			b.fail(errTail)
		}
	}
	return b.err
}
