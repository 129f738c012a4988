//go:build awslocal

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/handschlag/handschlag/host/aws/awslocal"
)

const urgent = `{"effective_at": "2026-11-21T00:00:00Z", "emergency": true, "changes": {}, "approval": {"by": "G. Leitung", "at": "2026-11-21T09:00:00Z", "text": "Sofort."}}`

// A policy is installed in an account as in a folder, with credentials as they are found.
func TestAWSPolicyInstallAndStatus(t *testing.T) {
	g := awslocal.Start(t)
	o := g.Fresh(t)
	for _, kv := range g.Environment("operator") {
		k, v, _ := strings.Cut(kv, "=")
		t.Setenv(k, v)
	}
	t.Setenv("HANDSCHLAG_AWS", "")
	t.Setenv("HANDSCHLAG_AWS_BUCKETS", "")
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(file("release.json"), []byte(urgent), 0o600); err != nil {
		t.Fatal(err)
	}
	say := func(code int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		if got := run(context.Background(), args, streams{in: strings.NewReader(""), out: &out, err: &out}); got != code {
			t.Fatalf("%v: want code %d, got %d: %s", args, code, got, &out)
		}
		return out.String()
	}
	in := func(args ...string) []string {
		return append(args, "--host", "aws", "--name", o.Prefix, "--buckets", o.Buckets)
	}
	says := func(want string, code int, args ...string) {
		t.Helper()
		if said := say(code, args...); !strings.Contains(said, want) {
			t.Errorf("%v: want %q, got %s", args, want, said)
		}
	}
	say(0, "policy", "keygen", "--out", file("keys"))
	key, public := file("keys/policy-key.pem"), file("keys/policy-public.pem")
	build := func(revision, name string) string {
		say(0, "policy", "build", "--key", key, "--public", public, "--release", file("release.json"), "--revision", revision, "-o", file(name))
		return file(name)
	}
	seven, eight := build("7", "seven.tar.gz"), build("8", "eight.tar.gz")
	says("give --name and --buckets", 1, "policy", "status", "--host", "aws")
	says("live: the program's own rules", 0, in("policy", "status")...)
	says("knows no policy key yet", 1, in("policy", "install", seven)...)
	says("would make it the policy", 0, in("policy", "verify", seven, "--public", public)...)
	says("installed revision 7, in effect from half a minute from now", 0, in("policy", "install", seven, "--public", public)...)
	says("live: revision 7", 0, in("policy", "status")...)
	says("revision 7 is not above 7: a bundle never goes back", 1, in("policy", "install", seven)...)
	g.Refuse("operator", "denied")
	said := say(1, in("policy", "install", eight)...)
	if strings.Count(said, "\n") != 1 || !strings.Contains(said, o.Prefix+"-control") || !strings.Contains(said, "lacks this right") {
		t.Errorf("want one line with the resource and the right, got %s", said)
	}
	g.Refuse("operator", "")
	says("installed revision 8", 0, in("policy", "install", eight)...)
	says("kept: revision 7, replaced by a later one", 0, in("policy", "status")...)
}
