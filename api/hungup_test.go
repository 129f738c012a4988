package api

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAClientThatHungUpIsNoWarning(t *testing.T) {
	for name, want := range map[string]bool{"hung up": false, "waits": true} {
		var log bytes.Buffer
		a := &api{o: withDefaults(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}), metrics: newMetrics()}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/batch", nil)
		if !want {
			cancel()
		}
		a.note(r, route{path: "/v1/batch"}, errors.New("eval_cancel_error"))
		a.log(&heard{req: r, status: http.StatusServiceUnavailable}, time.Millisecond)
		if warned := strings.Count(log.String(), "WARN") == 2; warned != want || !want && log.Len() > 0 {
			t.Errorf("%s: %s", name, &log)
		}
	}
}
