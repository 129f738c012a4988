package hosttest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/handschlag/handschlag/flow"
)

// checkProof waits until a checkpoint covers the receipt's record and recomputes
// the way from the record to the checkpoint's root.
func checkProof(t *testing.T, h flow.Host, receipt flow.Receipt) {
	t.Helper()
	p := awaitProof(t, h, receipt.Record.RecordID)
	canonical := must(p.Record.Canonical())(t)
	salt := must(hex.DecodeString(p.Salt))(t)
	leaf := sha256.Sum256(append(salt, canonical...))
	if leaf != receipt.Leaf || p.Leaf != hex.EncodeToString(leaf[:]) {
		t.Fatalf("leaf %s is not the digest of salt and record", p.Leaf)
	}
	var proof tlog.RecordProof
	for _, b64 := range p.Hashes {
		proof = append(proof, tlog.Hash(must(base64.StdEncoding.DecodeString(b64))(t)))
	}
	size, root := readCheckpoint(t, p.Checkpoint)
	ok(t, tlog.CheckRecord(proof, size, root, p.Index, tlog.RecordHash(leaf[:])))
}

func awaitProof(t *testing.T, h flow.Host, recordID string) flow.Proof {
	t.Helper()
	for range 400 {
		p, err := h.Proof(ctx, recordID)
		if err == nil {
			return p
		}
		if !errors.Is(err, flow.ErrMoved) {
			t.Fatalf("proving record: %v", err)
		}
		time.Sleep(25 * time.Millisecond)
	}
	t.Fatal("no checkpoint covers the record")
	return flow.Proof{}
}

// readCheckpoint reads size and root of a C2SP checkpoint.
func readCheckpoint(t *testing.T, signed string) (int64, tlog.Hash) {
	t.Helper()
	lines := strings.Split(signed, "\n")
	if len(lines) < 5 || !strings.Contains(signed, "\n\n— ") {
		t.Fatalf("checkpoint is not a signed note: %q", signed)
	}
	size := must(strconv.ParseInt(lines[1], 10, 64))(t)
	root := must(base64.StdEncoding.DecodeString(lines[2]))(t)
	return size, tlog.Hash(root)
}
