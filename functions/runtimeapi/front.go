package runtimeapi

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"github.com/handschlag/handschlag/api"
)

// largest is how much an HTTP API takes in.
const largest = 10 << 20

// Front answers HTTP requests through functions, by name, as an HTTP API with the
// routes of api.Functions does. A route whose function does not run is a 503.
func Front(functions map[string]*Function) http.Handler {
	m := http.NewServeMux()
	for _, f := range api.Functions() {
		for _, route := range f.Routes {
			m.Handle(strings.Replace(route, "{proxy+}", "{proxy...}", 1), through(functions[f.Name], route))
		}
	}
	m.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"message":"Not Found"}`)
	})
	return m
}

func through(f *Function, route string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if f == nil {
			http.Error(w, `{"message":"Service Unavailable"}`, http.StatusServiceUnavailable)
			return
		}
		e, err := Event(r, route)
		if err != nil {
			http.Error(w, `{"message":"Request Entity Too Large"}`, http.StatusRequestEntityTooLarge)
			return
		}
		var res events.APIGatewayV2HTTPResponse
		b, err := f.Invoke(r.Context(), e)
		if err == nil {
			err = json.Unmarshal(b, &res)
		}
		if err != nil {
			http.Error(w, `{"message":"Internal Server Error"}`, http.StatusInternalServerError)
			return
		}
		write(w, res)
	}
}

func write(w http.ResponseWriter, res events.APIGatewayV2HTTPResponse) {
	body := []byte(res.Body)
	if res.IsBase64Encoded {
		body, _ = base64.StdEncoding.DecodeString(res.Body)
	}
	for k, v := range res.Headers {
		w.Header().Set(k, v)
	}
	w.WriteHeader(res.StatusCode)
	_, _ = w.Write(body)
}

// Event makes the payload 2.0 event of a request: with the sender's address and
// browser in it, as AWS sends them.
func Event(r *http.Request, route string) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, largest))
	if err != nil {
		return nil, err
	}
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	e := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: route, RawPath: r.URL.EscapedPath(), RawQueryString: r.URL.RawQuery, Headers: map[string]string{},
		Body: string(body),
	}
	for name, values := range r.Header {
		e.Headers[strings.ToLower(name)] = strings.Join(values, ",")
	}
	for _, c := range r.Cookies() {
		e.Cookies = append(e.Cookies, c.String())
	}
	delete(e.Headers, "cookie")
	maps.Copy(e.Headers, map[string]string{"host": r.Host, "x-forwarded-for": address, "x-forwarded-proto": "https", "x-amzn-trace-id": "Root=1-5759e988"})
	if r.Header.Get("Content-Encoding") != "" || !utf8.Valid(body) {
		e.Body, e.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
	}
	e.RequestContext = events.APIGatewayV2HTTPRequestContext{
		RouteKey: route, AccountID: "123456789012", Stage: "$default", RequestID: "JKJaXmPLvHcESHA=", APIID: "api-id", DomainName: r.Host,
		HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: r.Method, Path: r.URL.Path, Protocol: r.Proto, SourceIP: address, UserAgent: r.UserAgent()},
	}
	return json.Marshal(e)
}
