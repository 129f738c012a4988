//go:build !lambda.norpc

package aws

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/handschlag/handschlag/consent"
)

// marks remember under which consent the compacted days were narrowed: of whoever
// has another mark than the night before, the days are looked through again. They
// are part of the night's state.
type marks struct {
	Through time.Time `json:"through"`
	Graves  string    `json:"graves"` // digest of all
	of      []mark    // in the order of subjects
	first   bool      // there were none
}

type mark struct {
	who  consent.Subject
	what [8]byte
}

const (
	marksFile = "compacted.marks"
	markBytes = 16 + 8
)

// readMarks reads what the last night left. Without it everything is looked through.
func readMarks(path string) (marks, error) {
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return marks{first: true}, nil
	}
	if err != nil {
		return marks{}, err
	}
	var m marks
	head, rest, _ := bytes.Cut(body, []byte("\n"))
	if err := json.Unmarshal(head, &m); err != nil || len(rest)%markBytes != 0 {
		return marks{}, fmt.Errorf("the night's state is damaged: %s cannot be read", marksFile)
	}
	for ; len(rest) > 0; rest = rest[markBytes:] {
		m.of = append(m.of, mark{consent.Subject(rest[:16]), [8]byte(rest[16:markBytes])})
	}
	return m, nil
}

func (m marks) write(path string) error {
	head, err := json.Marshal(m)
	if err != nil {
		return err
	}
	body := append(head, '\n')
	for _, x := range m.of {
		body = append(append(body, x.who[:]...), x.what[:]...)
	}
	return os.WriteFile(path, body, 0o600)
}

func (m marks) find(s consent.Subject) [8]byte {
	i, found := slices.BinarySearchFunc(m.of, s, func(x mark, s consent.Subject) int { return bytes.Compare(x.who[:], s[:]) })
	if !found {
		return [8]byte{}
	}
	return m.of[i].what
}

// changed reports whether a subject's rows may have to be narrowed again.
func (m marks) changed(was marks, s consent.Subject, erased func(consent.Subject) bool) bool {
	return was.first || m.find(s) != was.find(s) || m.Graves != was.Graves && erased(s)
}

// marksOf makes the marks of all, as their consent counts at a moment.
func marksOf(b *bookCopy, at time.Time) (marks, error) {
	m := marks{Through: at}
	for _, s := range b.everybody() {
		own, err := b.StateAt(s, at)
		if err != nil {
			return m, err
		}
		account, err := b.AccountOf(s)
		if err != nil {
			return m, err
		}
		sum := sha256.New()
		_, _ = sum.Write(consentBytes(own, at))
		if !account.IsZero() {
			linked, err := b.StateAt(account, at)
			if err != nil {
				return m, err
			}
			_, _ = sum.Write(append(account[:], consentBytes(linked, at)...))
		}
		m.of = append(m.of, mark{s, [8]byte(sum.Sum(nil))})
	}
	graves := make([]string, 0, len(b.graves))
	for g := range b.graves {
		graves = append(graves, g)
	}
	slices.Sort(graves)
	m.Graves = fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(graves))))
	return m, nil
}

// consentBytes is all that a gate goes by.
func consentBytes(s consent.State, at time.Time) (out []byte) {
	for _, p := range purposesOf(s) {
		is := s.At(p, at)
		out = append(append(out, p...), 0)
		out = append(append(out, is.Status...), 0)
		out = binary.BigEndian.AppendUint64(out, uint64(is.Since.UnixMilli()))
	}
	if s.Restricted {
		out = append(out, 1)
	}
	return out
}
