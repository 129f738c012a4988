package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/demo"
)

type demoCmd struct {
	Data   string `default:"data/demo" help:"Folder of the demo; it holds one data folder per shop."`
	Listen string `default:"127.0.0.1:8080" help:"HOST:PORT of the first shop; the second takes the next port. Port 0 chooses."`
	Every  int    `default:"12" help:"Replay one visitor in so many; 1 replays all 165,474 clicks."`
	Seed   string `default:"handschlag" help:"Seed of everything that is invented."`
	Serve  bool   `help:"Keep serving until Ctrl-C."`
	Fresh  bool   `help:"Start over, even if the folder holds a finished demo of the same kind."`
}

// The shop is shown twice: its categories reveal pregnancy, and as if they did not.
var demoShops = []struct{ key, title, sensitive string }{
	{"as-it-is", "as it is: a maternity shop, every category sensitive (SPC-01)", `sensitive_categories: {trousers: pregnancy, skirts: pregnancy, blouses: pregnancy, sale: pregnancy}`},
	{"ordinary", "as an ordinary clothing shop: the tag off by configuration", `sensitive_categories: {}`},
}

// demoMark is left in a folder when its demo is complete.
type demoMark struct {
	Every   int       `json:"every"`
	Seed    string    `json:"seed"`
	Version string    `json:"version"`
	Morning time.Time `json:"morning"` // after the night
	Figures figures   `json:"figures"`
}

// Run replays, runs the night, prints the summary, and serves if asked to.
func (c demoCmd) Run(ctx context.Context, s streams) error {
	if c.Every < 1 {
		return fmt.Errorf("--every: want 1 or more, got %d", c.Every)
	}
	if err := loopbackOnly(c.Listen); err != nil {
		return err
	}
	if !onLoopback(c.Listen) { // its staff tokens stand in every summary
		return fmt.Errorf("--listen: the demo is for loopback only, not for %s", c.Listen)
	}
	if err := c.alone(ctx); err != nil {
		return err
	}
	mark, done, err := c.folder(s)
	if err != nil {
		return err
	}
	s.printf("reading the clickstream: \"e-shop clothing 2008\" (UCI 553, CC BY 4.0)\n")
	world, err := demo.NewWorld(c.Seed, c.Every)
	if err != nil {
		return err
	}
	s.printf("%d real clicks of %d invented visitors on %d days (one visitor in %d)\n", world.Clicks, len(world.Visitors), len(world.Days), c.Every)
	d := &demoRun{cmd: c, world: world, out: s, progress: newProgress(s.out), mark: mark}
	defer d.close()
	if err := d.start(ctx); err != nil {
		return err
	}
	if !done {
		if err := d.play(ctx); err != nil {
			return interrupted(ctx, err, "the next start begins over")
		}
	}
	if err := d.summarise(ctx); err != nil {
		return err
	}
	if !c.Serve {
		return d.close()
	}
	return d.serve(ctx)
}

// alone refuses a folder whose shops are served: it would be cleared under them, or
// found locked.
func (c demoCmd) alone(ctx context.Context) error {
	for _, is := range demoShops {
		if (place{Data: filepath.Join(c.Data, is.key)}).isServed(ctx) {
			return fmt.Errorf("a demo runs in %s already: stop that one with Ctrl-C, or run beside it with --data and --listen (make run DATA=data/second LISTEN=127.0.0.1:9000)", c.Data)
		}
	}
	return nil
}

// folder makes the demo's folder, or says what it holds. A finished demo of the
// same kind is used again; an unfinished or another one is cleared, and said so;
// a folder of anything else is left alone.
func (c demoCmd) folder(s streams) (demoMark, bool, error) {
	want := demoMark{Every: c.Every, Seed: c.Seed, Version: version}
	entries, err := os.ReadDir(c.Data)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return want, false, fmt.Errorf("reading the demo's folder: %w", err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(c.Data, "demo-shops")); err != nil {
			return want, false, fmt.Errorf("%s is not empty and not a demo's folder: choose another with --data", c.Data)
		}
		var have demoMark
		b, err := os.ReadFile(filepath.Join(c.Data, "demo.json"))
		if err == nil && json.Unmarshal(b, &have) == nil && have.Every == want.Every && have.Seed == want.Seed && have.Version == want.Version && !c.Fresh {
			s.printf("%s holds this demo already: using it (--fresh starts over)\n", c.Data)
			return have, true, nil
		}
		s.printf("%s holds an unfinished or another demo: clearing it\n", c.Data)
		if err := os.RemoveAll(c.Data); err != nil {
			return want, false, fmt.Errorf("clearing the demo's folder: %w", err)
		}
	}
	if err := os.MkdirAll(c.Data, 0o755); err != nil {
		return want, false, fmt.Errorf("making the demo's folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(c.Data, "demo-shops"), []byte("made by handschlag demo; safe to delete\n"), 0o644); err != nil {
		return want, false, fmt.Errorf("making the demo's folder: %w", err)
	}
	return want, false, nil
}

// demoRun is one run over both shops.
type demoRun struct {
	cmd      demoCmd
	world    *demo.World
	out      streams
	progress *progress
	mark     demoMark
	shops    []*demoShop
	closed   bool
}

type demoShop struct {
	key, title string
	dir        string
	config     string
	clock      string
	srv        *server
	shop       *demo.Shop
	night      nightRun
}

// start opens both shops, each with its own folder, configuration and clock.
func (d *demoRun) start(ctx context.Context) error {
	for i, is := range demoShops {
		sh := &demoShop{
			key: is.key, title: is.title, dir: filepath.Join(d.cmd.Data, is.key), config: filepath.Join(d.cmd.Data, is.key+".yaml"),
			clock: filepath.Join(d.cmd.Data, is.key+".clock"),
		}
		if err := sh.open(ctx, d, i, is.sensitive); err != nil {
			return err
		}
		d.shops = append(d.shops, sh)
	}
	return nil
}

// protectionOff is the line of the default configuration that the demo changes, so
// that a night lists refunds (PRI-14).
const protectionOff = "    days: 0 "

func (sh *demoShop) open(ctx context.Context, d *demoRun, i int, sensitive string) error {
	yaml := strings.NewReplacer("sensitive_categories: {}", sensitive, protectionOff, "    days: 14").Replace(string(config.DefaultYAML()))
	if err := os.WriteFile(sh.config, []byte(yaml), 0o644); err != nil {
		return fmt.Errorf("writing the demo's configuration: %w", err)
	}
	begin := d.world.Days[0].Add(-2 * time.Hour)
	if !d.mark.Morning.IsZero() {
		begin = d.mark.Morning
	}
	if err := sh.setClock(begin); err != nil {
		return err
	}
	tokens := map[string]string{}
	var list []string
	for _, role := range []string{"adviser", "dpo", "marketing", "ops"} {
		tokens[role] = "demo-" + role + "-" + d.cmd.Seed
		list = append(list, role+":"+tokens[role])
	}
	// The server reads these when it starts; each shop has its own clock.
	for k, v := range map[string]string{"HANDSCHLAG_CLOCK": "@" + sh.clock, "HANDSCHLAG_STAFF_TOKENS": strings.Join(list, ",")} {
		if err := os.Setenv(k, v); err != nil {
			return fmt.Errorf("setting %s: %w", k, err)
		}
	}
	listen, err := nextPort(d.cmd.Listen, i)
	if err != nil {
		return err
	}
	sh.srv, err = start(ctx, serveCmd{place: place{Data: sh.dir, Config: sh.config}, Listen: listen}, d.out)
	if err != nil {
		return err
	}
	sh.shop = &demo.Shop{
		Name: sh.title, URL: sh.srv.URL, WriteKey: sh.srv.Keys.Write, ServerKey: sh.srv.Keys.Server, Staff: tokens,
		SetClock: sh.setClock, HTTP: demoClient(),
	}
	return nil
}

// setClock moves the shop's time, in a step that a reader never sees half done.
func (sh *demoShop) setClock(t time.Time) error {
	tmp := sh.clock + ".new"
	if err := os.WriteFile(tmp, []byte(t.UTC().Format(time.RFC3339Nano)+"\n"), 0o644); err != nil {
		return fmt.Errorf("moving the clock: %w", err)
	}
	if err := os.Rename(tmp, sh.clock); err != nil {
		return fmt.Errorf("moving the clock: %w", err)
	}
	return nil
}

// play replays the clicks, plays the companion day and runs the night, on both
// shops side by side, and leaves the mark.
func (d *demoRun) play(ctx context.Context) error {
	began := time.Now()
	if err := d.both("clicks", d.world.Clicks, func(sh *demoShop, tell demo.Progress) error {
		return d.world.Replay(ctx, sh.shop, tell)
	}); err != nil {
		return err
	}
	d.mark.Figures.ReplaySeconds = time.Since(began).Seconds()
	mornings := make(chan time.Time, len(d.shops))
	if err := d.both("companion day", 14, func(sh *demoShop, tell demo.Progress) error {
		next, err := d.world.Companion(ctx, sh.shop, tell)
		mornings <- next
		return err
	}); err != nil {
		return err
	}
	morning := (<-mornings).Add(6 * time.Hour)
	if err := d.nights(ctx, morning); err != nil {
		return err
	}
	d.mark.Morning = morning
	d.mark.Figures.measure(d)
	return d.leaveMark()
}

// both runs do on both shops at once, with one line of progress.
func (d *demoRun) both(name string, total int, do func(*demoShop, demo.Progress) error) error {
	var done atomic.Int64
	var say, wait sync.Mutex
	at := make([]int64, len(d.shops))
	errs := make([]error, len(d.shops))
	var wg sync.WaitGroup
	for i, sh := range d.shops {
		wg.Go(func() {
			errs[i] = do(sh, func(n, _ int) {
				wait.Lock()
				done.Add(int64(n) - at[i])
				at[i] = int64(n)
				wait.Unlock()
				say.Lock()
				d.progress.step(name, done.Load(), int64(total*len(d.shops)))
				say.Unlock()
			})
		})
	}
	wg.Wait()
	d.progress.end()
	return errors.Join(errs...)
}

func (d *demoRun) leaveMark() error {
	b, err := json.MarshalIndent(d.mark, "", " ")
	if err != nil {
		return fmt.Errorf("leaving the demo's mark: %w", err)
	}
	if err := os.WriteFile(filepath.Join(d.cmd.Data, "demo.json"), append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("leaving the demo's mark: %w", err)
	}
	return nil
}

// serve lets the shops' time run on from the morning after, until the end.
func (d *demoRun) serve(ctx context.Context) error {
	d.out.printf("\nserving until Ctrl-C; the shops' time runs on from %s\n", d.mark.Morning.Format(time.RFC3339))
	began := time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			d.out.printf("stopping: finishing what is under way\n")
			return d.close()
		case <-tick.C:
			for _, sh := range d.shops {
				select {
				case err := <-sh.srv.failed:
					return errors.Join(err, d.close())
				default:
				}
				if err := sh.setClock(d.mark.Morning.Add(time.Since(began))); err != nil {
					return errors.Join(err, d.close())
				}
			}
		}
	}
}

// close stops both shops, once.
func (d *demoRun) close() error {
	if d.closed {
		return nil
	}
	d.closed = true
	d.progress.end()
	var errs []error
	for _, sh := range d.shops {
		errs = append(errs, sh.srv.Close())
	}
	return errors.Join(errs...)
}
