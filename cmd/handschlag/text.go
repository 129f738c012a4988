package main

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// oneLine says an error in one line, whatever it is made of, and nothing twice:
// errors that were joined often tell of the same cause, and Pebble's carry a marker.
func oneLine(err error) string {
	var said []string
	for _, line := range strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }) {
		if line = strings.TrimSpace(line); line != "" && line != "<corruption detail carrier>" && !slices.Contains(said, line) {
			said = append(said, line)
		}
	}
	return strings.Join(said, "; ")
}

// interrupted is err, or, when somebody stopped the command, only that and what
// it means: what failed for that reason is no news.
func interrupted(ctx context.Context, err error, so string) error {
	if ctx.Err() == nil {
		return err
	}
	return errors.New("interrupted: " + so)
}
