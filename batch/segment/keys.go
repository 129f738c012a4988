package segment

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

// duckdbValue is what the driver's appender takes.
type duckdbValue = driver.Value

// rowKeys makes the keys of exported rows: HMAC-SHA256 under a key that is the
// recipient's own, so that two recipients cannot join their files (BAT-06).
type rowKeys struct {
	night []byte

	mu         sync.Mutex
	recipients map[string][]byte
}

const nightKeyFile = "rows.key"

// openKeys reads the night's key and makes it the first time. It is never
// replaced by a run: with another key every row would look new to its recipient.
func openKeys(dir string) (*rowKeys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening the night's keys: %w", err)
	}
	path := filepath.Join(dir, nightKeyFile)
	body, err := os.ReadFile(path)
	var key []byte
	switch {
	case errors.Is(err, os.ErrNotExist):
		key = make([]byte, 32)
		if _, err := rand.Read(key); err != nil {
			return nil, fmt.Errorf("making the night's key: %w", err)
		}
		err = replaceFile(path, keyLine(key), 0o600)
	case err == nil && len(body) == 32: // of a version that kept no checksum
		key = body
		err = replaceFile(path, keyLine(key), 0o600)
	case err == nil:
		key, err = readKeyLine(body)
	}
	if err != nil {
		return nil, fmt.Errorf("opening the night's keys: %w", err)
	}
	return &rowKeys{night: key, recipients: map[string][]byte{}}, nil
}

// keyLine is rows.key: the key in hex digits, and the first 64 bits of its SHA-256.
func keyLine(key []byte) []byte {
	sum := sha256.Sum256(key)
	return fmt.Appendf(nil, "%x %x\n", key, sum[:8])
}

// readKeyLine takes only what keyLine wrote: a key with one wrong bit would give
// every person of every export another row key.
func readKeyLine(body []byte) ([]byte, error) {
	text, _, _ := bytes.Cut(body, []byte(" "))
	key, err := hex.DecodeString(string(text))
	if err != nil || len(key) != 32 || !bytes.Equal(body, keyLine(key)) {
		return nil, fmt.Errorf("%s is damaged: bring it back from a backup; with it removed the next night makes another, and recipients cannot match their rows to earlier files", nightKeyFile)
	}
	return key, nil
}

// of is the key of a recipient.
func (k *rowKeys) of(recipient string) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.recipients[recipient]
	if !ok {
		key = mac(k.night, []byte("recipient\x00"+recipient))
		k.recipients[recipient] = key
	}
	return key
}

// row is a person's key for a recipient: the first 128 bits as hex digits.
func (k *rowKeys) row(recipient string, person []byte) string {
	return hex.EncodeToString(mac(k.of(recipient), person)[:16])
}

func mac(key, message []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write(message)
	return h.Sum(nil)
}

// rowKeyFunction is row_key(recipient, person) in SQL; the keys stay in Go.
type rowKeyFunction struct{ keys *rowKeys }

// Config gives the function's types.
func (f rowKeyFunction) Config() duckdb.ScalarFuncConfig {
	text, _ := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	uuid, _ := duckdb.NewTypeInfo(duckdb.TYPE_UUID)
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{text, uuid}, ResultTypeInfo: text}
}

// Executor gives the function's code.
func (f rowKeyFunction) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowContextExecutor: func(_ context.Context, args []driver.Value) (any, error) {
		recipient, ok := args[0].(string)
		person, is := args[1].([]byte)
		if !ok || !is || len(person) != 16 {
			return nil, fmt.Errorf("making a row key: got %T and %T", args[0], args[1])
		}
		return f.keys.row(recipient, person), nil
	}}
}
