package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// keys are the shop's two credentials.
type keys struct {
	Write, Server string
	Made          bool // at this start
}

// loadKeys takes the keys from the environment, else from DATA/keys, else makes
// them there: readable by the owner alone.
func loadKeys(data string) (keys, error) {
	var k keys
	for name, into := range map[string]*string{"write": &k.Write, "server": &k.Server} {
		if v := os.Getenv("HANDSCHLAG_" + strings.ToUpper(name) + "_KEY"); v != "" {
			*into = v
			continue
		}
		v, made, err := keptKey(filepath.Join(data, "keys", name+".key"))
		if err != nil {
			return keys{}, err
		}
		*into, k.Made = v, k.Made || made
	}
	if k.Write == k.Server {
		return keys{}, errors.New("HANDSCHLAG_WRITE_KEY and HANDSCHLAG_SERVER_KEY are the same: the write key is public, the server key is secret")
	}
	return k, nil
}

// keptKey reads a key file, or makes it.
func keptKey(path string) (key string, made bool, err error) {
	b, err := os.ReadFile(path)
	if err == nil {
		if key = strings.TrimSpace(string(b)); len(key) < 16 {
			return "", false, fmt.Errorf("%s holds no key: remove the file to have one made", path)
		}
		return key, false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", false, fmt.Errorf("reading key: %w", err)
	}
	key = rand.Text()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", false, fmt.Errorf("making key: %w", err)
	}
	if err := writeKey(path, key); err != nil {
		return "", false, fmt.Errorf("making key: %w", err)
	}
	return key, true, nil
}

// writeKey leaves a whole file or none.
func writeKey(path, key string) error {
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
