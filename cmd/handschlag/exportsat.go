package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// exportsAt is where exports are asked for: a server on the network, or a data folder.
type exportsAt struct {
	place
	Server string `placeholder:"URL" env:"HANDSCHLAG_SERVER" help:"Server to ask, like https://shop.example; default: that of the data folder."`
	Token  string `env:"HANDSCHLAG_TOKEN" help:"With --server: token of staff with the role marketing. Better in the environment than here."`
}

// within reaches the exports, does something, and lets go of them.
func (c exportsAt) within(ctx context.Context, s streams, do func(*reached) error) error {
	if c.Server == "" {
		return c.place.within(ctx, s, do)
	}
	base, err := c.url()
	if err != nil {
		return err
	}
	if c.Token == "" {
		return errors.New("--server: set HANDSCHLAG_TOKEN to a token of staff with the role marketing")
	}
	client := &http.Client{CheckRedirect: onward}
	defer client.CloseIdleConnections()
	return do(&reached{http: client, base: base, token: c.Token, served: true})
}

// url refuses addresses on which the token would travel in the clear.
func (c exportsAt) url() (string, error) {
	u, err := url.Parse(strings.TrimSuffix(c.Server, "/"))
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" {
		return "", fmt.Errorf("--server: want an address like https://shop.example, got %q", c.Server)
	}
	if ip := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", errors.New("--server: want https: the token and the rows would travel in the clear")
	}
	return u.String(), nil
}

// onward follows a link to where a file lies. The token is ours and the server's alone,
// and the file's tag there is another: its SHA-256 is checked at the end.
func onward(req *http.Request, via []*http.Request) error {
	if len(via) > 3 {
		return errors.New("too many redirections")
	}
	if from := via[0].URL; from.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("redirected to an address without https")
	}
	req.Header.Del("Authorization")
	req.Header.Del("If-Range")
	return nil
}
