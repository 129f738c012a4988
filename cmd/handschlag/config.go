package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/batch/segment"
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
func (c configCheckCmd) Run(ctx context.Context, s streams) error {
	cfg, odd, err := checkConfig(ctx, c.File)
	if err != nil {
		return err
	}
	clock, err := clockFromEnv()
	if err != nil {
		return err
	}
	rules, err := policy.Load(ctx, cfg.PolicySettings(), policy.EntryProcessing)
	if err != nil {
		return fmt.Errorf("loading the rules: %w", err)
	}
	papers, err := flow.Registered(ctx, rules, cfg, flow.OfferFeatures(cfg), clock.Now())
	if err != nil {
		return err
	}
	s.printf("%s is good; digest %s\n", c.File, cfg.Digest())
	for _, line := range slices.Concat(odd, papers.Warnings(rules), cfg.IdleChannels()) {
		s.printf("warning: %s\n", line)
	}
	return nil
}

// problems are the lines that a broken configuration is reported in.
type problems []string

func (p problems) Error() string { return strings.Join(p, "\n") }

// checkConfig reads a file and holds its segments against the night's columns. All
// problems of both are reported at once, as FILE:LINE:COLUMN: PATH: TEXT, with the
// column where it is known; odd is what deserves a look.
func checkConfig(ctx context.Context, path string) (cfg *config.Config, odd []string, err error) {
	yaml, err := configFile(path)
	if err != nil {
		return nil, nil, err
	}
	cfg, wrong := config.Read(yaml)
	if len(wrong) > 0 && wrong[0].Path == "" { // it could not be read to the end
		return nil, nil, inFile(path, wrong)
	}
	strange, err := segment.Validate(ctx, cfg)
	var more config.Errors
	if err != nil && !errors.As(err, &more) {
		return nil, nil, err
	}
	for _, p := range more {
		told := func(w config.Problem) bool { return w.Path == p.Path || strings.HasPrefix(p.Path, w.Path+".") }
		if !slices.ContainsFunc(wrong, told) {
			wrong = append(wrong, p)
		}
	}
	if len(wrong) > 0 {
		wrong.Sort()
		return nil, nil, inFile(path, wrong)
	}
	return cfg, inFile(path, strange), nil
}

// loadConfig reads a file, or the default if none is named. All problems are
// reported at once, one line each, as FILE:LINE: PATH: TEXT.
func loadConfig(path string) (*config.Config, []byte, error) {
	yaml, err := configFile(path)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := config.Parse(yaml)
	var bad config.Errors
	if errors.As(err, &bad) {
		return nil, nil, inFile(path, bad)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading configuration %s: %w", path, err)
	}
	return cfg, yaml, nil
}

func configFile(path string) ([]byte, error) {
	if path == "" {
		return config.DefaultYAML(), nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading configuration: %w", err)
	}
	return b, nil
}

func inFile(path string, found config.Errors) problems {
	lines := make(problems, len(found))
	for i, p := range found {
		if p.Path != "" {
			p.Path += ": "
		}
		at := fmt.Sprint(p.Line)
		if p.Column > 0 {
			at += fmt.Sprintf(":%d", p.Column)
		}
		lines[i] = fmt.Sprintf("%s:%s: %s%s", path, at, p.Path, p.Text)
	}
	return lines
}
