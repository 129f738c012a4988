package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/policy"
)

type configCmd struct {
	Init  configInitCmd  `cmd:"" help:"Write the commented default."`
	Check configCheckCmd `cmd:"" help:"Say everything that is wrong in a file."`
}

type configInitCmd struct {
	File string `arg:"" optional:"" default:"handschlag.yaml" help:"Where to write; - for standard output."`
}

// Run writes the default, and never over a file that is there.
func (c configInitCmd) Run(s streams) error {
	if c.File == "-" {
		s.printf("%s", config.DefaultYAML())
		return nil
	}
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already", c.File)
	}
	if err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	if _, err := f.Write(config.DefaultYAML()); err != nil {
		_ = f.Close()
		return fmt.Errorf("writing configuration: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing configuration: %w", err)
	}
	s.printf("wrote %s\n", c.File)
	return nil
}

type configCheckCmd struct {
	File string `arg:"" optional:"" default:"handschlag.yaml" help:"The file to check."`
}

// Run prints the digest of a good file, and which purposes and channels its register stops.
func (c configCheckCmd) Run(s streams) error {
	cfg, _, err := loadConfig(c.File)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	ctx := context.Background()
	rules, err := policy.Load(ctx, cfg.PolicySettings(), policy.EntryProcessing)
	if err != nil {
		return fmt.Errorf("loading the rules: %w", err)
	}
	papers, err := flow.Registered(ctx, rules, cfg, flow.OfferFeatures(cfg), clock.Now())
	if err != nil {
		return err
	}
	s.printf("%s is good; digest %s\n", c.File, cfg.Digest())
	for _, line := range append(papers.Warnings(rules), cfg.IdleChannels()...) {
		s.printf("warning: %s\n", line)
	}
	return nil
}

// problems are the lines that a broken configuration is reported in.
type problems []string

func (p problems) Error() string { return strings.Join(p, "\n") }

// loadConfig reads a file, or the default if none is named. All problems are
// reported at once, one line each, as FILE:LINE: PATH: TEXT.
func loadConfig(path string) (*config.Config, []byte, error) {
	yaml := config.DefaultYAML()
	if path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, fmt.Errorf("reading configuration: %w", err)
		}
		yaml = b
	}
	cfg, err := config.Parse(yaml)
	var bad config.Errors
	if errors.As(err, &bad) {
		lines := make(problems, len(bad))
		for i, p := range bad {
			if p.Path != "" {
				p.Path += ": "
			}
			lines[i] = fmt.Sprintf("%s:%d: %s%s", path, p.Line, p.Path, p.Text)
		}
		return nil, nil, lines
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading configuration %s: %w", path, err)
	}
	return cfg, yaml, nil
}
