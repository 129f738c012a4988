package handschlag_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/handschlag/handschlag/"

// rooms lists every room with the rooms it may import. A room that is not
// listed here does not exist; a folder below a room belongs to it unless it has
// a line of its own.
var rooms = map[string][]string{
	"consent":        {},
	"consent/signal": {"consent"},
	"consent/ledger": {},
	"price":          {},
	"fairness":       {},
	"event":          {"consent"},
	"profile":        {"event", "consent"},
	"decide":         {"profile", "event", "consent"},
	"policy":         {"decide", "profile", "event", "consent", "consent/signal", "price"},
	"config":         {"policy", "decide", "profile", "event", "consent", "price"},
	"flow":           {"config", "policy", "decide", "profile", "event", "consent", "consent/signal", "consent/ledger", "price"},
	"api":            {"flow", "config", "policy", "decide", "profile", "event", "consent", "consent/signal", "consent/ledger", "price"},
	"host/local":     {"flow", "config", "policy", "decide", "profile", "event", "consent", "consent/ledger", "price", "host/snapshot"},
	"host/aws":       {"flow", "config", "policy", "decide", "profile", "event", "consent", "consent/ledger", "price", "host/snapshot"},
	"host/snapshot":  {"flow", "decide", "profile", "event", "consent", "consent/ledger", "price"},
	"host/desk":      {"flow", "config", "decide", "event", "consent"},
	"host/hosttest":  {"flow", "config", "policy", "decide", "profile", "event", "consent", "consent/ledger", "price"},
	"batch":          {"flow", "config", "policy", "decide", "profile", "event", "consent", "consent/ledger", "price"},
	"batch/learn":    {"decide"},
	"batch/bench":    {"batch", "batch/learn", "host/snapshot", "config", "policy", "decide", "profile", "event", "consent"},
	"batch/chart":    {},
	"batch/eval":     {"batch/learn", "fairness"},
	"demo":           {"consent"},
	"functions":      {"api", "host", "flow", "config", "policy", "decide", "consent", "event"},
	"cmd":            {"fairness", "api", "demo", "batch", "batch/bench", "batch/eval", "batch/learn", "host", "flow", "config", "policy", "decide", "profile", "event", "consent", "consent/ledger", "price"},
	"infra":          {"config", "host"},
	"clients":        {"consent/signal"},
	"bench":          {"api", "batch", "batch/learn", "host", "flow", "config", "policy", "decide", "profile", "event", "consent", "price"},

	// The offline verifier is small enough to be read whole.
	"cmd/handschlag-verify": {"consent", "consent/ledger"},
}

// pure rooms do no I/O, read no clock and no randomness.
var pure = []string{"consent", "consent/signal", "consent/ledger", "event", "profile", "price", "decide", "fairness", "batch/learn", "batch/chart"}

// forbidden in pure rooms: imports, and calls on the time package.
var impureImports = []string{"os", "net", "net/http", "math/rand", "math/rand/v2", "crypto/rand", "os/exec", "syscall", "database/sql"}
var impureTime = []string{"Now", "Since", "Until", "Sleep", "After", "Tick", "NewTimer", "NewTicker", "AfterFunc"}

// owners of outside modules: nobody else may import them.
var owners = map[string][]string{
	"github.com/open-policy-agent/opa":    {"policy"},
	"github.com/duckdb/":                  {"batch"},
	"github.com/cockroachdb/pebble":       {"host/local"},
	"github.com/parquet-go/parquet-go":    {"host/local", "host/aws", "host/snapshot", "batch"}, // batch: days of events, and the CRM, which DuckDB might spill
	"github.com/aws/aws-sdk-go-v2":        {"host/aws", "host/desk"},
	"github.com/aws/aws-lambda-go":        {"functions"},
	"github.com/danielgtaylor/huma":       {"api"},
	"github.com/alecthomas/kong":          {"cmd"},
	"github.com/goccy/go-yaml":            {"config"},
	"github.com/prometheus/client_golang": {"api"},
}

type pkg struct {
	ImportPath string
	Dir        string
	GoFiles    []string
	Imports    []string
}

// list reads every package of the module; test files are not looked at.
func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,GoFiles,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatalf("reading package list: %v", err)
		}
		all = append(all, p)
	}
}

// roomOf gives the longest listed room that a path lies in.
func roomOf(path string) string {
	rel := strings.TrimPrefix(path, module)
	for r := rel; r != "." && r != "/"; r = filepath.Dir(r) {
		if _, ok := rooms[r]; ok {
			return r
		}
	}
	return ""
}

func allowed(room, other string) bool {
	if room == other || strings.HasPrefix(other, room+"/") {
		return true
	}
	return slices.ContainsFunc(rooms[room], func(r string) bool { return r == other || r == "host" && strings.HasPrefix(other, "host/") })
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range list(t) {
		if p.ImportPath+"/" == module {
			continue
		}
		room := roomOf(p.ImportPath)
		if room == "" {
			t.Errorf("%s is in no room: add it to rooms, or to an existing room", p.ImportPath)
			continue
		}
		for _, im := range p.Imports {
			if strings.HasPrefix(im, module) && !allowed(room, roomOf(im)) {
				t.Errorf("%s imports %s: %s may import only %v", p.ImportPath, im, room, rooms[room])
			}
		}
	}
}

func TestOutsideModulesHaveOneOwner(t *testing.T) {
	for _, p := range list(t) {
		room := roomOf(p.ImportPath)
		for _, im := range p.Imports {
			for prefix, who := range owners {
				if strings.HasPrefix(im, prefix) && !slices.Contains(who, room) {
					t.Errorf("%s imports %s, which only %v may", p.ImportPath, im, who)
				}
			}
		}
	}
}

func TestDuckDBIsReachedOnlyFromTheOneBinary(t *testing.T) {
	for _, p := range list(t) {
		room := roomOf(p.ImportPath)
		if room == "batch" || strings.HasPrefix(room, "batch/") || room == "cmd" {
			continue
		}
		for _, im := range p.Imports {
			if strings.HasPrefix(im, module+"batch/") {
				t.Errorf("%s imports %s: only cmd/handschlag may", p.ImportPath, im)
			}
		}
	}
}

func TestPureRoomsReadNoClockNoDiceNoDisk(t *testing.T) {
	for _, p := range list(t) {
		if !slices.Contains(pure, roomOf(p.ImportPath)) {
			continue
		}
		for _, im := range p.Imports {
			if slices.Contains(impureImports, im) {
				t.Errorf("%s imports %s", p.ImportPath, im)
			}
		}
		for _, name := range p.GoFiles {
			checkTime(t, filepath.Join(p.Dir, name))
		}
	}
}

func checkTime(t *testing.T, file string) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatalf("parsing %s: %v", file, err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(impureTime, sel.Sel.Name) {
				t.Errorf("%s reads the clock: time.%s", filepath.Base(file), sel.Sel.Name)
			}
		}
		return true
	})
}

// Only policy.Admit turns a Raw into an Event.
func TestOnlyPolicyMakesEvents(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		if strings.HasPrefix(path, "policy"+string(os.PathSeparator)) {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.Contains(string(src), "event.New(") {
			t.Errorf("%s calls event.New: only policy may", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A planted wrong arrow must be found, or the tests above could not fail.
func TestTheArrowTestCanFail(t *testing.T) {
	if allowed("price", "consent") || allowed("event", "flow") || allowed("host/local", "api") {
		t.Error("a forbidden arrow counts as allowed")
	}
	if !allowed("flow", "policy") || !allowed("cmd", "host/local") {
		t.Error("an allowed arrow counts as forbidden")
	}
}
