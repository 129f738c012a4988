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
	"hash"
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
	recipients map[string]*sync.Pool // of hash.Hash, keyed
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
	return &rowKeys{night: key, recipients: map[string]*sync.Pool{}}, nil
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

// of makes the keys of one recipient's rows. A keyed digest that was used once begins
// anew at half the cost.
func (k *rowKeys) of(recipient string) *sync.Pool {
	k.mu.Lock()
	defer k.mu.Unlock()
	macs, ok := k.recipients[recipient]
	if !ok {
		key := mac(k.night, []byte("recipient\x00"+recipient))
		macs = &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }}
		k.recipients[recipient] = macs
	}
	return macs
}

// rowKey is a person's key for one recipient: 128 bits, which files show as hex digits.
type rowKey [16]byte

func (k rowKey) String() string { return hex.EncodeToString(k[:]) }

// row makes the key of a person for a recipient.
func (k *rowKeys) row(recipient string, person []byte) (key rowKey) {
	macs := k.of(recipient)
	h := macs.Get().(hash.Hash)
	defer macs.Put(h)
	h.Reset()
	_, _ = h.Write(person)
	var sum [sha256.Size]byte
	copy(key[:], h.Sum(sum[:0]))
	return key
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
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{text, uuid}, ResultTypeInfo: uuid}
}

// Executor gives the function's code.
func (f rowKeyFunction) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowContextExecutor: func(_ context.Context, args []driver.Value) (any, error) {
		recipient, ok := args[0].(string)
		person, is := args[1].([]byte)
		if !ok || !is || len(person) != 16 {
			return nil, fmt.Errorf("making a row key: got %T and %T", args[0], args[1])
		}
		return duckdb.UUID(f.keys.row(recipient, person)), nil
	}}
}
