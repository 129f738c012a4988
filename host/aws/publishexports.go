//go:build !lambda.norpc

package aws

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/profile"
)

// pointerKey is the one object that says what is published. Whatever it does not
// name was never shown.
const pointerKey = "current.json"

// shown is current.json: for each date the run whose files count. They lie under
// DATE/RUN/ and are never changed, so that a later run of a date replaces the whole
// folder at once.
type shown struct {
	Run         string            `json:"run"` // the newest
	Publication flow.Publication  `json:"publication"`
	Nights      map[string]string `json:"nights"` // run by date
}

// exportPrefix is where a night's files lie.
func (s shown) exportPrefix(date string) string { return date + "/" + s.Nights[date] + "/" }

// shownExports reads the pointer; before the first night it names nothing.
func (h *Host) shownExports(ctx context.Context) (s shown, etag string, err error) {
	body, etag, err := h.readObject(ctx, bucketExports, pointerKey)
	if errors.Is(err, fs.ErrNotExist) {
		return shown{Nights: map[string]string{}}, "", nil
	}
	if err == nil {
		err = json.Unmarshal(body, &s)
	}
	if err != nil {
		return s, "", fmt.Errorf("reading %s of bucket %s: %w", pointerKey, *h.bucket(bucketExports), err)
	}
	return s, etag, nil
}

// bringExports makes a folder hold what is published, and nothing else.
func (h *Host) bringExports(ctx context.Context, dir string, is shown) error {
	stored, err := h.objects(ctx, bucketExports, "")
	if err != nil {
		return err
	}
	want := map[string]object{}
	for _, o := range stored {
		if o.key == verifierKey {
			want[o.key] = o
			continue
		}
		date, _, _ := strings.Cut(o.key, "/")
		if name, ours := strings.CutPrefix(o.key, is.exportPrefix(date)); ours && is.Nights[date] != "" {
			want[date+"/"+name] = o
		}
	}
	return h.mirror(ctx, bucketExports, want, dir)
}

// mirror makes a folder hold the objects that are wanted, by path, and nothing else.
// Beside the folder it notes which object each file was, so that only what changed
// is fetched again.
func (h *Host) mirror(ctx context.Context, bucket string, want map[string]object, dir string) error {
	notes := dir + ".objects.json"
	noted := map[string]string{}
	if body, err := os.ReadFile(notes); err != nil || json.Unmarshal(body, &noted) != nil {
		noted = map[string]string{}
	}
	here, err := filesOf(dir)
	if err != nil {
		return err
	}
	is, lack := map[string]string{}, []string{}
	for path, o := range want {
		if is[path] = o.key + " " + o.etag; here[path] == "" || noted[path] != is[path]+" "+here[path] {
			lack = append(lack, path)
		}
	}
	for path := range here {
		if _, wanted := want[path]; !wanted {
			if err := os.Remove(filepath.Join(dir, path)); err != nil {
				return err
			}
		}
	}
	slices.Sort(lack)
	sums := make([]string, len(lack))
	err = each(ctx, len(lack), atOnce, func(ctx context.Context, i int) (err error) {
		sums[i], err = h.download(ctx, bucket, want[lack[i]], filepath.Join(dir, filepath.FromSlash(lack[i])))
		return err
	})
	if err != nil {
		return err
	}
	for i, path := range lack {
		here[path] = sums[i]
	}
	for path := range is {
		is[path] += " " + here[path]
	}
	body, err := json.Marshal(is)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(notes, body, 0o600), sweepFolders(dir))
}

// sweepFolders removes folders that hold nothing, and runs that were killed.
func sweepFolders(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.IsDir() {
			_ = os.Remove(filepath.Join(dir, e.Name())) // only if it is empty
		}
	}
	return err
}

// Membership lines of a publication that waits in the night's bucket.
type membershipLine struct {
	Subject    consent.Subject    `json:"subject"`
	Membership profile.Membership `json:"membership"`
}

func membersKey(run string) string { return "publish/" + run + ".ndjson" }

// keepMembers puts what the day will read where a night that finds the publication
// half done can read it. It goes as soon as the day has it.
func (h *Host) keepMembers(ctx context.Context, run string, members *profile.Members) error {
	var body bytes.Buffer
	out := json.NewEncoder(&body)
	for s, m := range members.All() {
		if err := out.Encode(membershipLine{s, m}); err != nil {
			return err
		}
	}
	_, err := h.put(ctx, bucketNight, membersKey(run), bytes.NewReader(body.Bytes()), nil)
	return err
}

// mend gives the day what is published already, if the last night died in between.
func (h *Host) mend(ctx context.Context, is shown) error {
	waiting, err := h.objects(ctx, bucketNight, "publish/")
	if err != nil || len(waiting) == 0 {
		return err
	}
	day, err := h.Published(ctx)
	if err != nil {
		return err
	}
	var keys []string
	for _, o := range waiting {
		keys = append(keys, o.key)
		if o.key != membersKey(is.Run) || day.Run == is.Run {
			continue // never published, or the day has it
		}
		members, err := h.readMembers(ctx, o.key)
		if err != nil {
			return err
		}
		h.opts.Log.Warn("the last night was published but the day did not know; mending that", "run", is.Run)
		if err := h.Publish(ctx, is.Publication, members); err != nil {
			return err
		}
	}
	return h.drop(ctx, bucketNight, keys)
}

func (h *Host) readMembers(ctx context.Context, key string) (*profile.Members, error) {
	body, _, err := h.readObject(ctx, bucketNight, key)
	if err != nil {
		return nil, err
	}
	out := &profile.Members{}
	for in := json.NewDecoder(bufio.NewReader(bytes.NewReader(body))); ; {
		var l membershipLine
		if err := in.Decode(&l); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("reading %s: %w", key, err)
		}
		out.Add(l.Subject, l.Membership)
	}
}

// uploadExport puts a night's files where the pointer will find them, its manifest
// last, and a copy of the manifest where nobody can take it away.
func (h *Host) uploadExport(ctx context.Context, dir, date, run string) error {
	entries, err := os.ReadDir(filepath.Join(dir, date))
	if err != nil {
		return err
	}
	const manifest = "manifest.json"
	var names []string
	for _, e := range entries {
		if e.Type().IsRegular() && e.Name() != manifest {
			names = append(names, e.Name())
		}
	}
	err = each(ctx, len(names), atOnce, func(ctx context.Context, i int) error {
		_, err := h.upload(ctx, bucketExports, date+"/"+run+"/"+names[i], filepath.Join(dir, date, names[i]), nil)
		return err
	})
	if err != nil {
		return err
	}
	for name, key := range map[string]string{manifest: run + ".json", manifest + ".sig": run + ".json.sig"} {
		_, err := h.upload(ctx, bucketProof, "manifests/"+key, filepath.Join(dir, date, name), &swap{})
		if err != nil && !errors.Is(err, ledger.ErrMoved) { // an earlier try put it: a run is named by its manifest
			return err
		}
	}
	if _, err := h.upload(ctx, bucketExports, verifierKey, filepath.Join(dir, verifierKey), nil); err != nil {
		return err
	}
	_, err = h.upload(ctx, bucketExports, date+"/"+run+"/"+manifest, filepath.Join(dir, date, manifest), nil)
	return err
}

// sweepExports removes what the pointer does not name any more, and the rows of
// earlier nights that the night found expired: they are gone from its folder.
func (h *Host) sweepExports(ctx context.Context, dir string, is shown) error {
	stored, err := h.objects(ctx, bucketExports, "")
	if err != nil {
		return err
	}
	here, err := filesOf(dir)
	if err != nil {
		return err
	}
	var stale []string
	for _, o := range stored {
		date, _, dated := strings.Cut(o.key, "/")
		if _, err := time.Parse(time.DateOnly, date); err != nil || !dated {
			continue
		}
		name, ours := strings.CutPrefix(o.key, is.exportPrefix(date))
		if !ours || is.Nights[date] == "" || here[date+"/"+name] == "" {
			stale = append(stale, o.key)
		}
	}
	return h.drop(ctx, bucketExports, stale)
}
