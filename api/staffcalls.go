package api

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/handschlag/handschlag/flow"
)

// stats reads its period from the query: times are no ids.
func stats(f *flow.Flow, q *asked) (flow.StatsAnswer, error) {
	var call flow.StatsCall
	for name, into := range map[string]*time.Time{"from": &call.From, "to": &call.To} {
		v := q.r.URL.Query().Get(name)
		if v == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, v)
		if err != nil {
			return flow.StatsAnswer{}, &flow.Fault{Status: http.StatusUnprocessableEntity, Code: "field_invalid", Detail: name + ": want an RFC 3339 time"}
		}
		*into = t
	}
	return f.Stats(q.r.Context(), call, q.caller)
}

// linked is how long a link to a file is good for.
const linked = 5 * time.Minute

// exportRoute streams a finished file, or the part of it that is asked for, or says
// where it lies.
func exportRoute() route {
	rt := route{id: "exportFile", method: "GET", path: "/v1/exports/{date}/{file}", group: GroupStaff, who: marketers, head: true,
		status: []int{http.StatusOK, http.StatusPartialContent, http.StatusFound}, faults: []int{http.StatusNotFound, http.StatusGone, http.StatusRequestedRangeNotSatisfiable},
		kind: "application/octet-stream", say: "One file of a night's export; Range and If-Range go on where a transfer broke off, ETag is the file's SHA-256"}
	rt.call = func(a *api, q *asked) (int, any, error) {
		if err := a.admit(rt, q, q.who, nil); err != nil {
			return 0, nil, err
		}
		open := a.flow.ExportFile
		if q.r.Method == http.MethodHead {
			open = a.flow.ExportHead
		}
		file, err := open(q.r.Context(), q.r.PathValue("date"), q.r.PathValue("file"), q.caller)
		if err != nil {
			return 0, nil, err
		}
		defer func() { _ = file.Close() }()
		if file.Link != nil && a.o.LinkAbove > 0 && file.Size > a.o.LinkAbove && q.r.Method != http.MethodHead {
			return done, nil, link(q, file)
		}
		return done, nil, stream(q.w, q.r, file)
	}
	return rt
}

// link sends the caller to the file. The address is a credential: nobody may keep it.
func link(q *asked, file flow.ExportBody) error {
	at, err := file.Link(q.r.Context(), linked)
	if err != nil {
		return fmt.Errorf("making a link to an export file: %w", err)
	}
	q.w.Header().Set("Cache-Control", "no-store")
	q.w.Header().Set("Location", at)
	q.w.WriteHeader(http.StatusFound)
	return nil
}

// stream answers with a file, whole or in part. A file that cannot be read from the
// middle comes whole.
func stream(w http.ResponseWriter, r *http.Request, file flow.ExportBody) error {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute))
	h := w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(file.Name))
	if file.SHA256 != "" {
		h.Set("ETag", strconv.Quote(file.SHA256))
	}
	if from, can := file.ReadCloser.(io.ReadSeeker); can {
		out := &outOfRange{ResponseWriter: w}
		http.ServeContent(out, r, "", file.Modified, from)
		return out.fault
	}
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, file)
	}
	return nil
}

// outOfRange keeps back what net/http says of a range that is not in the file: errors
// have an envelope.
type outOfRange struct {
	http.ResponseWriter
	fault error
}

// WriteHeader keeps one status back.
func (o *outOfRange) WriteHeader(status int) {
	if status != http.StatusRequestedRangeNotSatisfiable {
		o.ResponseWriter.WriteHeader(status)
		return
	}
	h := o.Header()
	for _, of := range []string{"Content-Type", "Content-Disposition", "Content-Length"} {
		h.Del(of)
	}
	h.Set("Cache-Control", "no-store")
	o.fault = &flow.Fault{Status: status, Code: "range_invalid", Detail: "Range: the file has no such bytes"}
}

// Write drops what was said of the status that was kept back.
func (o *outOfRange) Write(b []byte) (int, error) {
	if o.fault != nil {
		return len(b), nil
	}
	return o.ResponseWriter.Write(b)
}
