package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/handschlag/handschlag/functions/runtimeapi"
)

// weigh prints the size of each function's zip, for arm64.
func (b *bench) weigh(dir string) error {
	_, _ = fmt.Fprintln(b.out, "function\tbootstrap MB\tzip MB (arm64)")
	for _, name := range b.names {
		body, err := os.ReadFile(filepath.Join(dir, name, "bootstrap"))
		if err != nil {
			return err
		}
		packed, err := zipped(body)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(b.out, "%s\t%.1f\t%.1f\n", name, float64(len(body))/1e6, float64(packed)/1e6)
	}
	_, _ = fmt.Fprintln(b.out)
	return b.out.Flush()
}

func zipped(body []byte) (int, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestCompression) })
	w, err := z.Create("bootstrap")
	if err == nil {
		_, err = w.Write(body)
	}
	if err == nil {
		err = z.Close()
	}
	return out.Len(), err
}

// starts prints what a process costs until it first asks for work, and until its first
// call is answered: CPU beside the least Lambda's, in turns.
func (b *bench) starts(n int) error {
	names := append([]string{"hello"}, b.names...)
	cpu, wall, first, most := map[string][]time.Duration{}, map[string][]time.Duration{}, map[string][]time.Duration{}, map[string]int64{}
	for range n {
		for _, name := range names {
			began := time.Now()
			f, err := b.start(name)
			if err != nil {
				return err
			}
			took := time.Since(began)
			u := f.Kill()
			cpu[name], wall[name], most[name] = append(cpu[name], u.CPU), append(wall[name], took), max(most[name], u.RSS)
			all, err := b.firstCall(name)
			if err != nil {
				return err
			}
			first[name] = append(first[name], all)
		}
	}
	least := quantile(cpu["hello"], 0.5)
	_, _ = fmt.Fprintln(b.out, "function\tinit CPU ms\tof hello\twith the first call\tinit wall ms\tRSS MB")
	for _, name := range names {
		mid, all := quantile(cpu[name], 0.5), "-"
		if used := quantile(first[name], 0.5); used > 0 {
			all = ms(used)
		}
		_, _ = fmt.Fprintf(b.out, "%s\t%s\t%.1fx\t%s\t%s\t%.0f\n", name, ms(mid), float64(mid)/float64(least), all, ms(quantile(wall[name], 0.5)), float64(most[name])/1e6)
	}
	_, _ = fmt.Fprintln(b.out)
	return b.out.Flush()
}

// firstCall is the CPU of a process that answers one call; 0 where the bench has none.
func (b *bench) firstCall(name string) (time.Duration, error) {
	for _, k := range b.kinds() {
		if k.function != name {
			continue
		}
		f, err := b.start(name)
		if err != nil {
			return 0, err
		}
		warm := b.front
		b.front = runtimeapi.Front(map[string]*runtimeapi.Function{name: f})
		_, err = k.do(0)
		b.front = warm
		return f.Kill().CPU, err
	}
	return 0, nil
}
