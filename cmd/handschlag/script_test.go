package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"handschlag": main})
}

// The scripts are the manual of the commands.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HANDSCHLAG_WRITE_KEY", "write-key-of-the-script")
			env.Setenv("HANDSCHLAG_SERVER_KEY", "server-key-of-the-script")
			policy, err := filepath.Abs("../../policy")
			env.Setenv("POLICY", policy)
			env.Setenv("HANDSCHLAG_STAFF_TOKENS", "adviser:adviser,dpo:dpo,marketing:marketing,ops:ops")
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"freeport": freePort, "await": await, "http": request, "oneline": oneLineOf, "lines": linesOf, "flip": flip, "same": same, "match": match, "age": age, "mode": mode, "hold": hold, "edit": edit,
		},
	})
}

// freeport VAR: an address on loopback that nobody uses.
func freePort(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], ln.Addr().String())
	ts.Check(ln.Close())
}

// await ADDRESS: until a server there is ready.
func await(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		if res, err := http.Get("http://" + args[0] + "/readyz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == 200 {
				return
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
	ts.Fatalf("nobody serves on %s", args[0])
}

// http STATUS METHOD URL CREDENTIAL [FILE]: asks, wants the status, and keeps the
// answer in the file "answer" and each string of its top level in an environment variable.
func request(ts *testscript.TestScript, _ bool, args []string) {
	var body io.Reader = http.NoBody
	if len(args) > 4 {
		body = strings.NewReader(os.Expand(ts.ReadFile(args[4]), ts.Getenv))
	}
	r, err := http.NewRequest(args[1], "http://"+args[2], body)
	ts.Check(err)
	r.Header.Set("Content-Type", "application/json")
	switch as := args[3]; as {
	case "write", "server":
		r.SetBasicAuth(ts.Getenv("HANDSCHLAG_"+strings.ToUpper(as)+"_KEY"), "")
	default:
		r.Header.Set("Authorization", "Bearer "+as)
	}
	res, err := http.DefaultClient.Do(r)
	ts.Check(err)
	b, err := io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(res.Body.Close())
	ts.Check(os.WriteFile(ts.MkAbs("answer"), append(b, '\n'), 0o644))
	if strconv.Itoa(res.StatusCode) != args[0] {
		ts.Fatalf("want %s, got %d %s", args[0], res.StatusCode, b)
	}
	var top map[string]any
	if json.Unmarshal(b, &top) == nil {
		for k, v := range top {
			if s, ok := v.(string); ok {
				ts.Setenv(k, s)
			}
		}
	}
}

// oneline FILE: the file (or stderr, stdout) has exactly one line.
func oneLineOf(ts *testscript.TestScript, _ bool, args []string) {
	linesOf(ts, false, []string{"1", args[0]})
}

// lines N FILE: the file has N lines.
func linesOf(ts *testscript.TestScript, _ bool, args []string) {
	text := strings.TrimRight(ts.ReadFile(args[1]), "\n")
	if n := strings.Count(text, "\n") + 1; strconv.Itoa(n) != args[0] {
		ts.Fatalf("want %s lines, got %d:\n%s", args[0], n, text)
	}
}

// flip FILE: changes one bit in the middle of a file.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o644))
}

// same DIR DIR: two folders hold the same bytes.
func same(ts *testscript.TestScript, _ bool, args []string) {
	a, b := contents(ts, args[0]), contents(ts, args[1])
	if len(a) == 0 || len(a) != len(b) {
		ts.Fatalf("%s has %d files, %s has %d", args[0], len(a), args[1], len(b))
	}
	for name, bytesOf := range a {
		if !bytes.Equal(bytesOf, b[name]) {
			ts.Fatalf("%s differs", name)
		}
	}
}

func contents(ts *testscript.TestScript, dir string) map[string][]byte {
	out := map[string][]byte{}
	root := ts.MkAbs(dir)
	ts.Check(filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		rel, _ := filepath.Rel(root, path)
		out[rel] = b
		return err
	}))
	return out
}

// match VAR REGEXP: keeps the first group of the last standard output in VAR.
func match(ts *testscript.TestScript, _ bool, args []string) {
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if m == nil {
		ts.Fatalf("no match for %s", args[1])
	}
	ts.Setenv(args[0], m[1])
}

// age FILE TIME: writes a clock file.
func age(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.WriteFile(path+".new", []byte(args[1]+"\n"), 0o644))
	ts.Check(os.Rename(path+".new", path))
}

// mode PERMISSIONS FILE: the file has them.
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%#o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s: want %s, got %s", args[1], args[0], got)
	}
}

// hold FILE: locks a file until the script ends.
func hold(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	ts.Check(err)
	ts.Check(syscall.Flock(int(f.Fd()), syscall.LOCK_EX))
	ts.Defer(func() { _ = f.Close() })
}

// edit FILE OLD NEW: replaces a text that is there, the first time it comes.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	if !strings.Contains(string(b), args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(b), args[1], args[2], 1)), 0o644))
}

// The scripts name every command; one that nobody shows is not documented.
func TestEveryCommandIsInAScript(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	for _, c := range []string{
		"serve", "nightly", "consent show", "consent grant", "consent refuse", "consent withdraw", "products import", "price import",
		"audit explain", "audit decisions", "audit events", "audit table", "audit replay", "audit revisions", "ledger verify", "ledger head", "export ls", "export pull", "export verify", "config init", "config check", "version",
	} {
		if !strings.Contains(all.String(), fmt.Sprintf("handschlag %s", c)) {
			t.Errorf("no script shows handschlag %s", c)
		}
	}
}
