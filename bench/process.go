package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
)

// process is a child seen from here.
type process struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *json.Decoder
	addr string
}

// start runs this program in a role. The data folder may be "".
func start(ctx context.Context, role, data string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.CommandContext(ctx, self)}
	p.cmd.Env = append(os.Environ(), roleVar+"="+role, dataVar+"="+data)
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", role, err)
	}
	p.out = json.NewDecoder(bufio.NewReader(out))
	r, err := p.answer()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", role, err), p.stop())
	}
	p.addr = r.Addr
	return p, nil
}

// ask sends a command and gives the answer.
func (p *process) ask(format string, args ...any) (report, error) {
	if _, err := fmt.Fprintf(p.in, format+"\n", args...); err != nil {
		return report{}, err
	}
	return p.answer()
}

func (p *process) answer() (r report, err error) {
	if err = p.out.Decode(&r); err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	return r, err
}

func (p *process) stop() error {
	return errors.Join(p.in.Close(), p.cmd.Wait())
}
