package main

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/handschlag/handschlag/decide"
)

type auditExportCmd struct {
	place
	OPA   bool   `name:"opa" required:"" help:"OPA's decision-log schema (logs.EventV1), one JSON object per line."`
	Since moment `placeholder:"TIME" help:"RFC 3339, inclusive; default: all that is kept."`
	Until moment `placeholder:"TIME" help:"RFC 3339, exclusive."`
	Gzip  bool   `help:"A gzipped JSON array, as OPA uploads its logs."`
}

// Run prints the decision log as OPA's tools read it.
func (c auditExportCmd) Run(ctx context.Context, s streams) error {
	return c.within(ctx, s, func(r *reached) error {
		path := "/admin/opa?" + between(c.Since.Time, c.Until.Time)
		if !c.Gzip {
			told := 0
			err := r.lines(ctx, path, func(line []byte) error {
				told++
				_, err := s.out.Write(line)
				return err
			})
			if err == nil && told == 0 {
				err = errors.New("there is no decision in that time")
			}
			return err
		}
		res, err := r.request(ctx, "GET", path, "", nil)
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		z := gzip.NewWriter(s.out)
		return errors.Join(cutOff(asArray(res.Body, z)), z.Close())
	})
}

// between is a range as the admin's routes take it.
func between(from, to time.Time) string {
	q := url.Values{}
	for name, at := range map[string]time.Time{"from": from, "to": to} {
		if !at.IsZero() {
			q.Set(name, at.Format(time.RFC3339Nano))
		}
	}
	return q.Encode()
}

// asArray writes lines of JSON as one array.
func asArray(in io.Reader, out io.Writer) error {
	sep := "["
	err := lines(in, func(v json.RawMessage) error {
		_, err := io.WriteString(out, sep+string(v))
		sep = ","
		return err
	})
	if sep == "[" {
		sep = "[]"
	} else {
		sep = "]"
	}
	_, last := io.WriteString(out, sep+"\n")
	return errors.Join(err, last)
}

// opa answers with OPA's lines.
func (sh *shop) opa(r *http.Request, line func([]byte) error) error {
	from, to, err := inRange(r)
	if err != nil {
		return err
	}
	return sh.host.ScanDecisions(r.Context(), from, to, func(b []byte) error {
		var rec decide.Record
		if err := json.Unmarshal(b, &rec); err != nil {
			return err
		}
		out, err := sh.flow.OPALine(rec)
		if err != nil {
			return err
		}
		return line(out)
	})
}
