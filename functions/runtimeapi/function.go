// Package runtimeapi runs Lambdas on this machine: it starts an unmodified
// bootstrap, speaks Lambda's Runtime API with it, and has an HTTP front that makes
// payload 2.0 events as an HTTP API does. Tests and benchmarks use it.
//
// It says nothing about what a real cold start costs: there is no microVM here,
// and no download of code.
package runtimeapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Options say what a function runs with.
type Options struct {
	Name    string
	Memory  int      // MB, only told
	Env     []string // beside what Lambda itself sets; nothing else of ours is passed on
	Out     io.Writer
	Timeout time.Duration // of one invocation; 0: a minute
}

// Function is a running bootstrap. It answers one invocation at a time.
type Function struct {
	opts    Options
	cmd     *exec.Cmd
	server  *http.Server
	ready   chan struct{} // closed when it first asks for work
	ended   chan struct{} // closed when the process is gone
	work    chan *invocation
	once    sync.Once
	mu      sync.Mutex
	running map[string]*invocation
	count   int
	initial string // what it said about a start that failed
	turn    sync.Mutex
}

// invocation is one payload on its way.
type invocation struct {
	id       string
	payload  []byte
	deadline time.Time
	answer   chan answer
}

type answer struct {
	body   []byte
	failed bool
}

// Failure is what a function said about an invocation that it could not answer.
type Failure struct{ Body string }

// Error gives it as it came.
func (f Failure) Error() string { return "the function failed: " + f.Body }

// Start starts a bootstrap. It returns before the function is ready.
func Start(bootstrap string, o Options) (*Function, error) {
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	f := &Function{opts: o, ready: make(chan struct{}), ended: make(chan struct{}), work: make(chan *invocation), running: map[string]*invocation{}}
	f.server = &http.Server{Handler: f.mux(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = f.server.Serve(ln) }()
	f.cmd = exec.Command(bootstrap)
	f.cmd.Env = append([]string{
		"AWS_LAMBDA_RUNTIME_API=" + ln.Addr().String(), "AWS_LAMBDA_FUNCTION_NAME=" + o.Name, "AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=" + strconv.Itoa(max(o.Memory, 128)), "_HANDLER=bootstrap", "TZ=:UTC", "PATH=/usr/local/bin:/usr/bin:/bin", "LANG=en_US.UTF-8",
	}, o.Env...)
	f.cmd.Stdout, f.cmd.Stderr = o.Out, o.Out
	if err := f.cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", bootstrap, err), f.server.Close())
	}
	go func() {
		_ = f.cmd.Wait()
		close(f.ended)
	}()
	return f, nil
}

// Ready waits until the function first asks for work. An error says that it never
// will, and with which code it left.
func (f *Function) Ready(ctx context.Context) error {
	select {
	case <-f.ready:
		return nil
	case <-f.ended:
		return fmt.Errorf("the function left with code %d before it was ready %s", f.cmd.ProcessState.ExitCode(), f.initial)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Invoke gives the function a payload and waits for its answer.
func (f *Function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	f.turn.Lock()
	defer f.turn.Unlock()
	f.mu.Lock()
	f.count++
	inv := &invocation{id: fmt.Sprintf("00000000-0000-4000-8000-%012d", f.count), payload: payload, deadline: time.Now().Add(f.opts.Timeout), answer: make(chan answer, 1)}
	f.running[inv.id] = inv
	f.mu.Unlock()
	select {
	case f.work <- inv:
	case <-f.ended:
		return nil, errors.New("the function is gone")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case a := <-inv.answer:
		if a.failed {
			return nil, Failure{string(a.body)}
		}
		return a.body, nil
	case <-time.After(time.Until(inv.deadline)):
		return nil, errors.New("the function timed out")
	case <-f.ended:
		return nil, errors.New("the function left in the middle of an invocation")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Usage is what a process cost.
type Usage struct {
	CPU time.Duration // user and system
	RSS int64         // most memory, in bytes
}

// Kill ends the function at once and gives what it cost so far.
func (f *Function) Kill() Usage {
	most := f.mostMemory()
	_ = f.cmd.Process.Kill()
	<-f.ended
	_ = f.server.Close()
	s := f.cmd.ProcessState
	return Usage{CPU: s.UserTime() + s.SystemTime(), RSS: most}
}

// mostMemory is as Linux has it; 0 elsewhere.
func (f *Function) mostMemory() (bytes int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.PID()))
	if _, rest, ok := strings.Cut(string(b), "VmHWM:"); ok {
		_, _ = fmt.Sscan(rest, &bytes)
	}
	return bytes << 10
}

// Close ends the function as Lambda does: it is told, and given a moment.
func (f *Function) Close() error {
	_ = f.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-f.ended:
	case <-time.After(5 * time.Second):
		_ = f.cmd.Process.Kill()
		<-f.ended
	}
	return f.server.Close()
}

// PID is the process.
func (f *Function) PID() int { return f.cmd.Process.Pid }

// mux is the Runtime API.
func (f *Function) mux() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /2018-06-01/runtime/invocation/next", f.next)
	m.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/{what}", f.done)
	// Lambda tells a function of its end only if an extension is there, internal ones
	// included; aws-lambda-go registers one.
	m.HandleFunc("POST /2020-01-01/extension/register", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Lambda-Extension-Identifier", "00000000-0000-4000-8000-000000000000")
	})
	m.HandleFunc("GET /2020-01-01/extension/event/next", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	m.HandleFunc("POST /2018-06-01/runtime/init/error", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		f.mu.Lock()
		f.initial = string(b)
		f.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
	})
	return m
}

func (f *Function) next(w http.ResponseWriter, r *http.Request) {
	f.once.Do(func() { close(f.ready) })
	select {
	case inv := <-f.work:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("Lambda-Runtime-Aws-Request-Id", inv.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(inv.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:123456789012:function:"+f.opts.Name)
		h.Set("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0")
		_, _ = w.Write(inv.payload)
	case <-r.Context().Done():
	}
}

func (f *Function) done(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	_, _ = body.ReadFrom(r.Body)
	f.mu.Lock()
	inv := f.running[r.PathValue("id")]
	delete(f.running, r.PathValue("id"))
	f.mu.Unlock()
	if inv == nil {
		http.Error(w, `{"errorType":"InvalidRequestID"}`, http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	inv.answer <- answer{body.Bytes(), r.PathValue("what") != "response"}
}

// Build builds Lambda mains as they ship, from the module's folder functions/,
// into OUT/NAME/bootstrap. An empty arch is this machine's.
func Build(ctx context.Context, module, out, arch string, names ...string) error {
	for _, name := range names {
		cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", out+"/"+name+"/bootstrap", "./functions/"+name)
		cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0")
		if arch != "" {
			cmd.Env = append(cmd.Env, "GOOS=linux", "GOARCH="+arch)
		}
		if b, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", name, err, strings.TrimSpace(string(b)))
		}
	}
	return nil
}
