package api

import (
	"log"
	"log/slog"
	"net/http"
	"time"
)

// Server serves a handler with the limits that slow or hostile senders meet.
func Server(h http.Handler, l *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          quiet(l),
	}
}

// quiet keeps net/http's own words out of the log: they hold addresses of visitors.
func quiet(l *slog.Logger) *log.Logger {
	return log.New(silence{l}, "", 0)
}

type silence struct{ log *slog.Logger }

func (s silence) Write(b []byte) (int, error) {
	s.log.Debug("a connection ended badly")
	return len(b), nil
}
