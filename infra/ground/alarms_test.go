package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/aws/smithy-go/encoding/cbor"
)

// call asks the front about alarms.
func call(t *testing.T, h http.Handler, name string, in cbor.Map) cbor.Map {
	t.Helper()
	r := httptest.NewRequest("POST", "http://aws.test/service/GraniteServiceVersion20100801/operation/"+name, bytes.NewReader(cbor.Encode(in)))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	out, err := cbor.Decode(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return out.(cbor.Map)
}

func TestAnAlarmIsGivenBackAsItWasPut(t *testing.T) {
	h := front(&url.URL{Scheme: "http", Host: "127.0.0.1:1"})
	named := cbor.Map{"AlarmNames": cbor.List{cbor.String("late")}}
	call(t, h, "PutMetricAlarm", cbor.Map{"AlarmName": cbor.String("late"), "Threshold": cbor.Float64(900)})
	found := call(t, h, "DescribeAlarms", named)["MetricAlarms"].(cbor.List)
	if len(found) != 1 || found[0].(cbor.Map)["Threshold"] != cbor.Float64(900) || found[0].(cbor.Map)["ActionsEnabled"] != cbor.Bool(true) {
		t.Fatalf("got %v", found)
	}
	call(t, h, "DeleteAlarms", named)
	if found := call(t, h, "DescribeAlarms", named)["MetricAlarms"].(cbor.List); len(found) > 0 {
		t.Errorf("it is still there: %v", found)
	}
}

func TestEverythingElseGoesToMoto(t *testing.T) {
	var host string
	moto := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { host = r.Host + r.URL.Path }))
	defer moto.Close()
	to, err := url.Parse(moto.URL)
	if err != nil {
		t.Fatal(err)
	}
	front(to).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "http://123456789012.aws.test/v20180820/tags/a", nil))
	if want := to.Host + "/v20180820/tags/a"; host != want {
		t.Errorf("moto saw %q, want %q", host, want)
	}
}
