package segment

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// passing are the folders of the state that hold subjects' data while a night runs.
var passing = []string{"spill", "fresh"}

// Sweep removes what a killed night left in the folders of its state and of the exports:
// rows, addresses of the CRM, features. Run begins with it, before it can refuse anything.
// Whoever calls it keeps other nights out of both folders.
func Sweep(state, out string) error {
	if state == "" || out == "" {
		return errors.New("a night needs a folder of its state and one of exports")
	}
	for _, name := range passing {
		if err := os.RemoveAll(filepath.Join(state, name)); err != nil {
			return fmt.Errorf("clearing what an earlier night left: %w", err)
		}
	}
	return recoverExports(out)
}

// folders makes the folders that the night writes to.
func (n *night) folders() error {
	for _, dir := range []string{n.in.State, n.in.Out} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("starting the night: %w", err)
		}
	}
	return nil
}

// end closes the night. What was not published goes.
func (n *night) end() {
	n.db.close()
	left := []string{n.runDir()}
	for _, name := range passing {
		left = append(left, filepath.Join(n.in.State, name))
	}
	for _, dir := range left {
		if err := os.RemoveAll(dir); err != nil {
			n.warn(fmt.Sprintf("remove %s, which may hold personal data: %v", dir, err))
		}
	}
}
