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

// exportRoute streams a finished file, or says where it lies.
func exportRoute() route {
	rt := route{id: "exportFile", method: "GET", path: "/v1/exports/{date}/{file}", group: GroupStaff, who: marketers, status: []int{http.StatusOK, http.StatusFound},
		faults: []int{http.StatusNotFound, http.StatusGone}, kind: "application/octet-stream", say: "One file of a night's export"}
	rt.call = func(a *api, q *asked) (int, any, error) {
		if err := a.admit(rt, q, q.who, nil); err != nil {
			return 0, nil, err
		}
		file, err := a.flow.ExportFile(q.r.Context(), q.r.PathValue("date"), q.r.PathValue("file"), q.caller)
		if err != nil {
			return 0, nil, err
		}
		defer func() { _ = file.Close() }()
		if file.Link != nil && a.o.LinkAbove > 0 && file.Size > a.o.LinkAbove {
			return done, nil, link(q, file)
		}
		stream(q.w, file)
		return done, nil, nil
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

func stream(w http.ResponseWriter, file flow.ExportBody) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(10 * time.Minute))
	h := w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("Content-Length", strconv.FormatInt(file.Size, 10))
	h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(file.Name))
	w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(w, file)
}
