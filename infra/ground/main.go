// Command ground stands between Terraform and moto, where the two do not fit:
// CloudWatch alarms are spoken about in CBOR, which moto does not read, and the
// account's number is a host name for S3 Control. It is Terraform's HTTP proxy, so
// that every host name leads here; whatever is not about alarms goes to moto.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

func main() {
	moto := flag.String("moto", "http://127.0.0.1:5000", "where moto listens")
	listen := flag.String("listen", "127.0.0.1:0", "where to listen")
	flag.Parse()
	to, err := url.Parse(*moto)
	if err != nil {
		log.Fatalf("reading -moto: %v", err)
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatalf("listening: %v", err)
	}
	fmt.Println(l.Addr())
	log.Fatal(http.Serve(l, front(to)))
}

// front answers calls about alarms and passes on all others.
func front(moto *url.URL) http.Handler {
	rest := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host = moto.Scheme, moto.Host
		r.Out.Host = moto.Host // moto would take the first part of another name for a bucket's
	}}
	cloudwatch := &alarms{kept: map[string]alarm{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/service/GraniteServiceVersion20100801/operation/"); ok {
			cloudwatch.serve(w, r, name)
			return
		}
		rest.ServeHTTP(w, r)
	})
}
