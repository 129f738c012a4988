package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/handschlag/handschlag/consent/ledger"
)

// summarise reads both shops back and prints what they hold.
func (d *demoRun) summarise(ctx context.Context) error {
	d.out.printf("\n")
	for i, sh := range d.shops {
		sum, err := d.world.Summarise(ctx, sh.shop)
		if err != nil {
			return fmt.Errorf("summing up %s: %w", sh.key, err)
		}
		sum.Print(d.out.out)
		if err := d.printRest(sh, i); err != nil {
			return err
		}
	}
	d.printAddresses()
	return nil
}

// printRest adds what is measured, and what lies in the folder.
func (d *demoRun) printRest(sh *demoShop, i int) error {
	f := folder{Data: sh.dir}
	key, err := f.key()
	if err != nil {
		return err
	}
	r, err := ledger.Verify(os.DirFS(f.dir()), key)
	if err != nil {
		return fmt.Errorf("verifying the ledger: %w", err)
	}
	d.out.printf("  ledger       %d leaves (consents and seals), root %s, verified offline\n", r.Size, r.Root)
	if n := d.mark.Figures.Nights; i < len(n) {
		d.out.printf("  night        %.1f s, %.1f CPU-s, peak %.0f MB (measured)\n", n[i].Seconds, n[i].CPUSeconds, n[i].PeakMB)
	}
	d.out.printf("  exports      %s\n\n", filepath.Join(sh.dir, "exports"))
	return nil
}

func (d *demoRun) printAddresses() {
	f := d.mark.Figures
	if f.ReplaySeconds > 0 {
		rate := float64(d.world.Clicks*len(d.shops)) / f.ReplaySeconds
		d.out.printf("replay of both shops: %.1f s, %.0f events per second through HTTP, each durable before its answer; peak %.0f MB (measured)\n",
			f.ReplaySeconds, rate, f.ServerPeakMB)
	}
	d.out.printf("source of every number: clicks are real; visitors, consents, times of day and the companion day are invented from seed %q\n\n", d.cmd.Seed)
	for _, sh := range d.shops {
		d.out.printf("%-9s  %s  (OpenAPI: %s/openapi.json)\n", sh.key, sh.srv.URL, sh.srv.URL)
		d.out.printf("           write key %s   server key %s\n", sh.shop.WriteKey, sh.shop.ServerKey)
		d.out.printf("           staff tokens (loopback only): dpo %s, adviser %s, marketing %s, ops %s\n",
			sh.shop.Staff["dpo"], sh.shop.Staff["adviser"], sh.shop.Staff["marketing"], sh.shop.Staff["ops"])
	}
}
