package awslocal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// installed finds what tools/aws-ground installed: HANDSCHLAG_AWS_GROUND, or
// bin/aws of the checkout that the caller stands in.
func installed() (string, error) {
	if dir := os.Getenv("HANDSCHLAG_AWS_GROUND"); dir != "" {
		return dir, nil
	}
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			dir := filepath.Join(at, "bin", "aws")
			_, err := os.Stat(filepath.Join(dir, "pins"))
			return dir, err
		}
		if at == filepath.Dir(at) {
			return "", errors.New("not in a checkout, and HANDSCHLAG_AWS_GROUND is not set")
		}
	}
}

// process is a service in a process of its own, which ends when we do.
type process struct {
	url string
	cmd *exec.Cmd
	in  io.Closer
	out tail
}

// leash runs a command until its standard input ends. The pipe ends with this
// process however that dies, so nothing is left behind.
const leash = `exec 3<&0; "$@" 3<&- & p=$!; (cat <&3 >/dev/null; kill -9 $p 2>/dev/null) & w=$!; wait $p; kill $w 2>/dev/null`

func startDynamo(dir string) (*process, error) {
	lib := filepath.Join(dir, "ddb", "lib")
	return start("DynamoDB Local", func(port string) []string {
		return []string{"java", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.library.path=" + lib, "-cp", lib + "/*",
			"com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-inMemory", "-disableTelemetry", "-port", port}
	})
}

func startMoto(dir string) (*process, error) {
	return start("moto", func(port string) []string {
		return []string{filepath.Join(dir, "venv", "bin", "moto_server"), "-H", "127.0.0.1", "-p", port}
	})
}

// start runs a service on a free port and waits until it listens. Another process
// may take the port in between, so it is tried on three.
func start(name string, command func(port string) []string) (*process, error) {
	var err error
	for range 3 {
		var p *process
		if p, err = run(command); err == nil {
			return p, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

func run(command func(port string) []string) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{url: "http://127.0.0.1:" + port}
	p.cmd = exec.Command("sh", append([]string{"-c", leash, "leash"}, command(port)...)...)
	p.cmd.Dir = os.TempDir()
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=ground", "AWS_SECRET_ACCESS_KEY=secret", "MOTO_ALLOW_NONEXISTENT_REGION=true")
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if err := p.awaitPort("127.0.0.1:" + port); err != nil {
		p.end()
		return nil, fmt.Errorf("%w: %s", err, p.out.String())
	}
	return p, nil
}

// freePort draws a port below those that the system gives to others: a test server that got
// the same one before our service was up would be taken for it.
func freePort() (string, error) {
	var last error
	for range 100 {
		port := strconv.Itoa(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return "", last
}

// awaitPort waits until the service takes connections, or has ended.
func (p *process) awaitPort(addr string) error {
	ended := make(chan struct{})
	go func() { _ = p.cmd.Wait(); close(ended) }()
	for until := time.Now().Add(time.Minute); time.Now().Before(until); {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			return c.Close()
		}
		select {
		case <-ended:
			return errors.New("it ended")
		case <-time.After(30 * time.Millisecond):
		}
	}
	return errors.New("it did not listen within a minute")
}

// end kills the whole group.
func (p *process) end() {
	_ = p.in.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
}

// tail keeps the last of what a process says.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write forgets the older half when it gets long.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.b.Len() > 16<<10 {
		t.b.Next(t.b.Len() / 2)
	}
	return t.b.Write(p)
}

// String gives what is kept.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}
