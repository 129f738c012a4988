package main

import (
	"io"
	"net/http"
	"sync"

	"github.com/aws/smithy-go/encoding/cbor"
)

// alarm is what PutMetricAlarm said.
type alarm = cbor.Map

// alarms keeps what it was told and gives it back: CloudWatch, as far as a plan
// looks at it.
type alarms struct {
	mu   sync.Mutex
	kept map[string]alarm
}

// serve speaks Smithy's RPC v2 over CBOR.
func (a *alarms) serve(w http.ResponseWriter, r *http.Request, name string) {
	body, err := io.ReadAll(r.Body)
	in := cbor.Map{}
	if err == nil && len(body) > 0 {
		var v cbor.Value
		if v, err = cbor.Decode(body); err == nil {
			in, _ = v.(cbor.Map)
		}
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out, ok := a.call(name, in)
	if !ok {
		http.Error(w, "CloudWatch has no "+name+" here", http.StatusNotImplemented)
		return
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	_, _ = w.Write(cbor.Encode(out))
}

func (a *alarms) call(name string, in cbor.Map) (cbor.Value, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch name {
	case "PutMetricAlarm":
		n := text(in["AlarmName"])
		in["AlarmArn"] = cbor.String("arn:aws:cloudwatch:eu-central-1:123456789012:alarm:" + n)
		if in["ActionsEnabled"] == nil {
			in["ActionsEnabled"] = cbor.Bool(true)
		}
		a.kept[n] = in
		return cbor.Map{}, true
	case "DescribeAlarms":
		found := cbor.List{}
		for _, n := range list(in["AlarmNames"]) {
			if x, ok := a.kept[text(n)]; ok {
				found = append(found, x)
			}
		}
		return cbor.Map{"MetricAlarms": found}, true
	case "DeleteAlarms":
		for _, n := range list(in["AlarmNames"]) {
			delete(a.kept, text(n))
		}
		return cbor.Map{}, true
	case "ListTagsForResource":
		return cbor.Map{"Tags": a.tags(text(in["ResourceARN"]))}, true
	}
	return nil, false
}

// tags are those that an alarm was put with.
func (a *alarms) tags(arn string) cbor.List {
	for _, x := range a.kept {
		if text(x["AlarmArn"]) == arn {
			return list(x["Tags"])
		}
	}
	return cbor.List{}
}

func text(v cbor.Value) string {
	s, _ := v.(cbor.String)
	return string(s)
}

func list(v cbor.Value) cbor.List {
	l, _ := v.(cbor.List)
	return l
}
