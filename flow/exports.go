package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/handschlag/handschlag/decide"
)

// ExportsAnswer lists the published nights, newest first.
type ExportsAnswer struct {
	Exports []Export `json:"exports"`
	// Verifier is the public key of the manifests' signatures, as a C2SP note verifier;
	// "" before the first night. Hold it against one that came another way.
	Verifier string `json:"verifier"`
}

// Export is one night's export.
type Export struct {
	Date    string       `json:"date"`
	Files   []string     `json:"files"`      // manifest.json, its signature, and what it names
	Details []ExportFile `json:"details"`    // of what the manifest names
	Created time.Time    `json:"created_at"` // when consent was read for it
	Expires time.Time    `json:"expires_at"`
	Open    bool         `json:"open"` // its rows may still be fetched: the newest night, and not expired (EXP-06)
}

// ExportFile is what the manifest says of a file.
type ExportFile struct {
	Name    string `json:"name"`
	Kind    string `json:"kind"` // segment delta tombstones revocations aggregates report lineage
	Segment string `json:"segment"`
	Channel string `json:"channel"`
	Rows    int64  `json:"rows"`
	Bytes   int64  `json:"bytes"`
	SHA256  string `json:"sha256"`
	Label   string `json:"label"`        // pseudonymous | anonymous, the latter only with a passed test (BAT-07)
	Loss    *int64 `json:"consent_loss"` // members of its segment whom the gate refused; null where it is not told
}

// ExportAck is a recipient's word that the rows in a night's file of revocations
// are gone (EXP-06).
type ExportAck struct {
	Date    string `json:"date"`
	Channel string `json:"channel"`
	By      string `json:"by"`               // who says so at the recipient
	SHA256  string `json:"sha256,omitempty"` // of the file, in hex; "" is the one that lies there now
}

// ExportAckAnswer says what the word covers.
type ExportAckAnswer struct {
	DecisionID string `json:"decision_id"`
	Rows       int64  `json:"rows"`
}

// ExportBody is an opened export file. The caller closes it.
type ExportBody struct {
	io.ReadCloser
	Name     string
	Type     string // media type
	Size     int64
	SHA256   string // hex; "" where the manifest does not say
	Modified time.Time
	// Link gives an address that serves the body for so long; nil if only we can.
	Link func(ctx context.Context, ttl time.Duration) (string, error)
}

const manifest = "manifest.json"

// Exports lists the nights whose manifest is there: without one, a folder is not
// published.
func (f *Flow) Exports(ctx context.Context, c Caller) (ExportsAnswer, error) {
	if _, err := c.staff(RoleMarketing); err != nil {
		return ExportsAnswer{}, err
	}
	a := ExportsAnswer{Exports: []Export{}}
	root := f.host.Exports(ctx)
	if root == nil {
		return a, nil
	}
	days, err := fs.ReadDir(root, ".")
	if errors.Is(err, fs.ErrNotExist) {
		return a, nil
	}
	if err != nil {
		return a, unavailable("listing exports", err)
	}
	for _, d := range slices.Backward(days) {
		if !d.IsDir() || !isDate(d.Name()) {
			continue
		}
		m, err := manifestOf(root, d.Name())
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return a, unavailable("reading an export manifest", err)
		}
		newest := len(a.Exports) == 0
		a.Exports = append(a.Exports, Export{
			Date: d.Name(), Files: m.names(root, d.Name()), Details: m.details(), Created: m.Created, Expires: m.Expires, Open: newest && f.now().Before(m.Expires),
		})
	}
	a.Verifier, err = verifierOf(root)
	return a, err
}

// verifierOf reads the public key that lies beside the nights; none is "".
func verifierOf(root fs.FS) (string, error) {
	b, err := fs.ReadFile(root, "verifier")
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", unavailable("reading the key of the manifests", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// ExportFile opens one file that a night's manifest names, and records who did.
// With the switch off nothing leaves.
func (f *Flow) ExportFile(ctx context.Context, date, file string, c Caller) (ExportBody, error) {
	who, err := c.staff(RoleMarketing)
	if err != nil {
		return ExportBody{}, err
	}
	body, err := f.found(ctx, date, file)
	if err != nil {
		return ExportBody{}, err
	}
	r, err := f.staffRecord(f.now(), decide.ActionExport, who.actor(), map[string]any{"date": date, "file": file}, map[string]any{"bytes": body.Size})
	if err == nil {
		err = f.decided(ctx, &r)
	}
	if err != nil {
		_ = body.Close()
		return ExportBody{}, unavailable("writing a decision record", err)
	}
	return body, nil
}

// ExportHead is ExportFile for whoever asks only how large a file is and whether it
// changed: nothing of it leaves, so nothing is recorded.
func (f *Flow) ExportHead(ctx context.Context, date, file string, c Caller) (ExportBody, error) {
	if _, err := c.staff(RoleMarketing); err != nil {
		return ExportBody{}, err
	}
	return f.found(ctx, date, file)
}

// found opens a file if it may leave now.
func (f *Flow) found(ctx context.Context, date, file string) (ExportBody, error) {
	on, err := f.on(ctx, SwitchExports)
	if err != nil {
		return ExportBody{}, err
	}
	if !on {
		return ExportBody{}, forbidden("exports_off", "refused by SWITCH: exports are switched off")
	}
	unknown := missing("export_unknown", "date or file: no published export has it")
	root := f.host.Exports(ctx)
	if !isDate(date) || root == nil {
		return ExportBody{}, unknown
	}
	m, err := manifestOf(root, date)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !slices.Contains(m.names(root, date), file) {
		return ExportBody{}, unknown
	}
	if err != nil {
		return ExportBody{}, unavailable("reading an export manifest", err)
	}
	if err := f.stillOpen(root, date, file, m); err != nil {
		return ExportBody{}, err
	}
	sum, err := m.sum(root, date, file)
	if err != nil {
		return ExportBody{}, unavailable("reading an export manifest", err)
	}
	return opened(root, date, file, sum)
}

func opened(root fs.FS, date, file, sum string) (ExportBody, error) {
	body, err := root.Open(path.Join(date, file))
	if err != nil {
		return ExportBody{}, unavailable("opening an export file", err)
	}
	info, err := body.Stat()
	if err != nil {
		_ = body.Close()
		return ExportBody{}, unavailable("opening an export file", err)
	}
	out := ExportBody{ReadCloser: body, Name: file, Type: mediaType(file), Size: info.Size(), SHA256: sum, Modified: info.ModTime()}
	if l, can := body.(Linker); can {
		out.Link = l.Link
	}
	return out, nil
}

// stillOpen refuses a file of rows that is no longer fresh (EXP-06): consents may
// have been withdrawn since. What holds no row (manifest, report, lineage) stays readable.
func (f *Flow) stillOpen(root fs.FS, date, file string, m exportManifest) error {
	if !m.rows(file) {
		return nil
	}
	if now := f.now(); !now.Before(m.Expires) {
		return &Fault{Status: http.StatusGone, Code: "export_expired", Detail: "EXP-06: this file expired at " + m.Expires.Format(time.RFC3339) + "; run the night again"}
	}
	days, err := fs.ReadDir(root, ".")
	if err != nil {
		return unavailable("listing exports", err)
	}
	for _, d := range slices.Backward(days) {
		if d.Name() <= date {
			return nil
		}
		if _, err := fs.Stat(root, path.Join(d.Name(), manifest)); err == nil && isDate(d.Name()) {
			return &Fault{Status: http.StatusGone, Code: "export_superseded", Detail: "EXP-06: the night of " + d.Name() + " has replaced this file"}
		}
	}
	return nil
}

// AckExport records that a recipient deleted what a night's file of revocations
// names; the next night lists those rows no more. The record bears the file's SHA-256:
// what a later run of the date revokes is not covered.
func (f *Flow) AckExport(ctx context.Context, in ExportAck, c Caller) (ExportAckAnswer, error) {
	who, err := c.staff(RoleMarketing)
	if err != nil {
		return ExportAckAnswer{}, err
	}
	unknown := missing("export_unknown", "date or channel: no published export has such a file of revocations")
	root := f.host.Exports(ctx)
	if !isDate(in.Date) || root == nil {
		return ExportAckAnswer{}, unknown
	}
	m, err := manifestOf(root, in.Date)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ExportAckAnswer{}, unavailable("reading an export manifest", err)
	}
	for _, file := range m.Files {
		if file.Kind != "revocations" || file.Channel != in.Channel {
			continue
		}
		if in.SHA256 != "" && in.SHA256 != file.SHA256 {
			unknown = conflict("export_replaced", "sha256: the night of %s was run again and tells other rows; fetch its file of revocations anew", in.Date)
			continue
		}
		r, err := f.staffRecord(f.now(), decide.ActionExport, who.actor(), map[string]any{"ack": in}, map[string]any{"rows": file.Rows, "sha256": file.SHA256})
		if err == nil {
			err = f.decided(ctx, &r)
		}
		if err != nil {
			return ExportAckAnswer{}, unavailable("writing a decision record", err)
		}
		return ExportAckAnswer{DecisionID: r.ID, Rows: file.Rows}, nil
	}
	return ExportAckAnswer{}, unknown
}

// exportManifest is what the day reads of a night's manifest.
type exportManifest struct {
	Created  time.Time    `json:"created_at"`
	Expires  time.Time    `json:"expires_at"`
	Files    []ExportFile `json:"files"`
	Segments []struct {
		Segment  string `json:"segment"`
		Channels []struct {
			Channel string `json:"channel"`
			Loss    *int64 `json:"consent_loss"`
		} `json:"channels"`
	} `json:"segments"`
}

// manifestOf reads a night's manifest. One of an earlier version does not say when
// it expires: two days after the date that it bears.
func manifestOf(root fs.FS, date string) (m exportManifest, err error) {
	b, err := fs.ReadFile(root, path.Join(date, manifest))
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if day, bad := time.Parse(time.DateOnly, date); m.Expires.IsZero() && bad == nil {
		m.Expires = day.Add(48 * time.Hour)
	}
	return m, err
}

// names are the files of a night that may be asked for: the manifest, its
// signature and what it names, but never the list of all deliveries. A name that
// leaves the folder is none.
func (m exportManifest) names(root fs.FS, date string) []string {
	files := []string{manifest}
	if _, err := fs.Stat(root, path.Join(date, manifest+".sig")); err == nil {
		files = append(files, manifest+".sig")
	}
	for _, x := range m.Files {
		if x.mayLeave() {
			files = append(files, x.Name)
		}
	}
	return files
}

func (x ExportFile) mayLeave() bool {
	return x.Kind != "deliveries" && x.Name != "" && x.Name != "." && !strings.ContainsAny(x.Name, `/\`) && fs.ValidPath(x.Name)
}

// details are the files that may be asked for, each with the consent loss of its segment
// on its channel.
func (m exportManifest) details() []ExportFile {
	loss := map[string]*int64{}
	for _, s := range m.Segments {
		for _, c := range s.Channels {
			loss[s.Segment+"."+c.Channel] = c.Loss
		}
	}
	out := []ExportFile{}
	for _, x := range m.Files {
		if x.mayLeave() {
			x.Loss = nil
			if x.Kind == "segment" {
				x.Loss = loss[x.Segment+"."+x.Channel]
			}
			out = append(out, x)
		}
	}
	return out
}

// sum is a file's SHA-256: the manifest's word, or of the manifest and its signature
// their own.
func (m exportManifest) sum(root fs.FS, date, file string) (string, error) {
	for _, x := range m.Files {
		if x.Name == file {
			return x.SHA256, nil
		}
	}
	b, err := fs.ReadFile(root, path.Join(date, file))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// rows reports whether a file holds rows about persons.
func (m exportManifest) rows(file string) bool {
	for _, x := range m.Files {
		if x.Name == file {
			return x.Kind != "report" && x.Kind != "lineage" && (x.Kind != "aggregates" || x.Label != "anonymous")
		}
	}
	return false
}

func isDate(s string) bool { _, err := time.Parse(time.DateOnly, s); return err == nil }

func mediaType(file string) string {
	switch path.Ext(file) {
	case ".json":
		return "application/json"
	case ".csv":
		return "text/csv; charset=utf-8"
	case ".parquet":
		return "application/vnd.apache.parquet"
	case ".html":
		return "text/html; charset=utf-8"
	}
	return "application/octet-stream"
}
