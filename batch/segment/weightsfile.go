package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/decide"
)

// weightsFile is what earlier nights published of weights, in the night's folder. A night
// goes on from the latest before its own date, so that doing it again gives the same.
const weightsFile = "weights.json"

// weightsKept is how many nights' weights are kept there.
const weightsKept = 8

// keptWeights is weights.json.
type keptWeights struct {
	Nights []publishedWeights `json:"nights"` // by date
	Sum    string             `json:"sum"`    // SHA-256 of this file with an empty sum
}

// publishedWeights are a night's weights under its date.
type publishedWeights struct {
	Date    string         `json:"date"`
	Weights decide.Weights `json:"weights"`
}

// earlierWeights reads the weights of nights before this one, in order. A night that has
// no state rebuilds from the events, and begins with equal shares.
func (n *night) earlierWeights() ([]publishedWeights, error) {
	k, err := n.keptWeights()
	return slices.DeleteFunc(k.Nights, func(w publishedWeights) bool { return w.Date >= n.date }), err
}

func (n *night) keptWeights() (k keptWeights, err error) {
	body, err := os.ReadFile(filepath.Join(n.in.State, weightsFile))
	if errors.Is(err, os.ErrNotExist) || n.was.Revision == 0 {
		return k, nil
	}
	if err != nil {
		return k, fmt.Errorf("reading the night's state: %w", err)
	}
	if err := json.Unmarshal(body, &k); err != nil {
		return k, damaged(weightsFile, "cannot be read")
	}
	said := k.Sum
	if whole, err := k.seal(); err != nil || k.Sum != said || !bytes.Equal(whole, body) {
		return k, damaged(weightsFile, "does not have the SHA-256 that it says")
	}
	return k, nil
}

// seal gives weights.json with its own SHA-256 in it.
func (k *keptWeights) seal() ([]byte, error) {
	body, err := withSum(&k.Sum, func() ([]byte, error) { return json.Marshal(k) })
	return append(body, '\n'), err
}

// keepWeights notes tonight's weights for the nights to come.
func (n *night) keepWeights() error {
	k, err := n.keptWeights()
	if err != nil {
		return err
	}
	k.Nights = slices.DeleteFunc(k.Nights, func(w publishedWeights) bool { return w.Date == n.date })
	k.Nights = append(k.Nights, publishedWeights{n.date, n.weights})
	slices.SortFunc(k.Nights, func(a, b publishedWeights) int { return strings.Compare(a.Date, b.Date) })
	k.Nights = k.Nights[max(0, len(k.Nights)-weightsKept):]
	body, err := k.seal()
	if err == nil {
		err = replaceFile(filepath.Join(n.in.State, weightsFile), body, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keeping tonight's weights: %w", err)
	}
	return nil
}
