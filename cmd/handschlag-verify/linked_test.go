package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/ledger"
	"github.com/handschlag/handschlag/flow"
)

const noticeText = "Wir möchten <b>festhalten</b>, was Sie ansehen & warum."

// linkedProof is a proof as "handschlag consent proof --format json" prints it, by the
// flow's own code, of a record in a ledger of its own.
func linkedProof(t *testing.T) (key, line string) {
	t.Helper()
	private, public, err := ledger.GenerateKey(zeros{}, "shop.example/consent")
	ok(t, err)
	s, err := ledger.NewSigner(private)
	ok(t, err)
	store := folderStore(t.TempDir())
	_, err = ledger.Create(t.Context(), store, s)
	ok(t, err)
	r := record(1)
	client := r.Event.Time.Add(-90 * time.Second)
	sum := sha256.Sum256([]byte(noticeText))
	r.Scope, r.Event.ClientTime, r.Event.Type, r.Event.Actor = consent.Device, &client, "expressed", "subject"
	r.Controller = consent.Controller{ID: "shop-gmbh", Name: "Beispiel & Söhne GmbH", Address: "Musterstraße 1", Contact: "privacy@shop.example"}
	r.Notice = consent.Notice{Version: "12", Language: "de", TextSHA256: hex.EncodeToString(sum[:])}
	r.Purposes = append(r.Purposes, consent.Choice{Purpose: consent.SpecialCategory("health"), Status: consent.Withdrawn, Basis: "9-2-a", Explicit: true})
	canonical, err := r.Canonical()
	ok(t, err)
	salt := [32]byte{7}
	leaf := ledger.NewLeaf(salt, canonical)
	_, c, err := ledger.Append(t.Context(), store, s, []ledger.Leaf{leaf})
	ok(t, err)
	hashes, err := ledger.Inclusion(t.Context(), store, 0, 1)
	ok(t, err)
	p := flow.ConsentProof{Verifier: public, Notice: noticeText, Until: r.Event.Time,
		Proof: flow.Proof{Record: r, Salt: hex.EncodeToString(salt[:]), Leaf: hex.EncodeToString(leaf[:]), Checkpoint: string(c.Note)},
		Uses:  []flow.Use{{Decision: "d1", Time: r.Event.Time, Action: "variant", Rules: []string{"VAR-01"}}},
	}
	for _, h := range hashes {
		p.Proof.Hashes = append(p.Proof.Hashes, base64.StdEncoding.EncodeToString(h[:]))
	}
	for _, c := range r.Purposes {
		p.Purposes = append(p.Purposes, flow.Named{Purpose: c.Purpose, Name: map[string]string{"de": "Zweck", "en": "Purpose"}, DPV: "ServiceOptimisation",
			Data: []string{"user.behavior"}, Recipients: []string{"hosting"}})
	}
	ld, err := p.LD()
	ok(t, err)
	return public, string(ld)
}

func verified(key, file string) (code int, said string) {
	var out, complain bytes.Buffer
	code = run([]string{"proof", "-key", key, "-"}, strings.NewReader(file), &out, &complain)
	return code, out.String() + complain.String()
}

// TestL07AReadablePartThatWasEditedIsRefused: each member of the JSON-LD follows from
// the record, or is listed as unproven.
func TestL07AReadablePartThatWasEditedIsRefused(t *testing.T) {
	key, file := linkedProof(t)
	code, said := verified(key, file)
	if code != 0 || !strings.Contains(said, `"hs:uses",`) || !strings.Contains(said, "only what the shop says") {
		t.Fatalf("exit code %d: %s", code, said)
	}
	for name, x := range map[string]struct{ old, new, says string }{
		"a status":                   {`dpv:ConsentGiven`, `dpv:ConsentRefused`, "dpv:hasProcess[0].dpv:hasConsentStatus.@id"},
		"the time":                   {`"dct:created":{"@type":"xsd:dateTime","@value":"2026`, `"dct:created":{"@type":"xsd:dateTime","@value":"2025`, "dct:created.@value"},
		"the vocabulary":             {`https://w3id.org/dpv#`, `https://example.org/dpv#`, "@context.dpv"},
		"the person":                 {`urn:handschlag:subject:02`, `urn:handschlag:subject:03`, "dpv:hasDataSubject"},
		"the controller":             {`"dpv:hasName":"Beispiel`, `"dpv:hasName":"Muster`, "dpv:hasDataController.dpv:hasName"},
		"a purpose":                  {`"hs:key":"analytics"`, `"hs:key":"ads_third_party"`, "hs:key"},
		"a basis":                    {`gdpr:A9-2-a`, `gdpr:A6-1-a`, "dpv:hasLegalBasis"},
		"explicit":                   {`"hs:explicit":false`, `"hs:explicit":true`, "hs:explicit"},
		"the notice":                 {`was Sie ansehen`, `was Sie nicht ansehen`, "text of the notice"},
		"the notice's version":       {`"dct:hasVersion":"12"`, `"dct:hasVersion":"13"`, "dpv:hasNotice.dct:hasVersion"},
		"whether the notice is kept": {`"hs:textKept":true`, `"hs:textKept":false`, "dpv:hasNotice"},
		"the identifier":             {`"dct:identifier":"record-b"`, `"dct:identifier":"record-c"`, "dct:identifier"},
		"the method":                 {`"hs:method":"save"`, `"hs:method":"accept"`, "hs:method"},
		"the device's clock":         {`"hs:clockSkewSeconds":-90`, `"hs:clockSkewSeconds":90`, "hs:clockSkewSeconds"},
		"a member that is gone":      {`"dpv:hasAuthority":"",`, ``, "dpv:hasAuthority"},
		"a member more":              {`{"@context"`, `{"hs:note":"agreed to all","@context"`, "hs:note"},
		"a member more below":        {`"dpv:hasRight":{`, `"dpv:hasRight":{"hs:none":true,`, "dpv:hasRight.hs:none"},
		"a member twice":             {`"@type":"dpv:ConsentRecord"`, `"@type":"dpv:ConsentRecord","dct:language":"en"`, "twice"},
		"a member of the evidence":   {`"hs:index":0`, `"hs:index":0,"hs:note":1`, "hs:note"},
		"a member of the record":     {`"hs:record":{`, `"hs:record":{"note":"agreed to all",`, "record.note"},
		"the record by other case":   {`"hs:record":{`, `"hs:record":{"VERSION":9,`, "record.VERSION"},
		"the key":                    {`"hs:verifier":"shop`, `"hs:verifier":"shap`, "hs:verifier"},
		"a statement among the uses": {`"hs:uses":[`, `"hs:uses":[{"@id":"urn:uuid:record-b","dpv:hasConsentStatus":"x"},`, "hs:uses"},
		"a name that is no name":     {`"hs:name":{`, `"hs:name":{"@id":"x",`, "hs:name"},
		"a text for a list":          {`"dpv:hasRecipient":["hosting"]`, `"dpv:hasRecipient":"none"`, "dpv:hasRecipient"},
		"a text for an object":       {`"dpv:hasRight":{"dpv:isExercisedAt":""}`, `"dpv:hasRight":"none"`, "dpv:hasRight"},
	} {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(file, x.old) {
				t.Fatalf("no %s in\n%s", x.old, file)
			}
			if code, said := verified(key, strings.Replace(file, x.old, x.new, 1)); code != 1 || !strings.Contains(said, x.says) {
				t.Errorf("exit code %d, %q; want 1, %q", code, said, x.says)
			}
		})
	}
}

// TestL07EveryValueOfAProofIsProvenOrListed changes one value after the other: the file
// is refused, or the member is listed as unproven.
func TestL07EveryValueOfAProofIsProvenOrListed(t *testing.T) {
	key, file := linkedProof(t)
	doc, err := readJSON(json.NewDecoder(strings.NewReader(file)))
	ok(t, err)
	n := 0
	var each func(path string, v any, put func(any))
	each = func(path string, v any, put func(any)) {
		switch v := v.(type) {
		case object:
			for name, inner := range v {
				each(strings.TrimPrefix(path+"."+name, "."), inner, func(x any) { v[name] = x })
			}
			return
		case []any:
			for i, inner := range v {
				each(path, inner, func(x any) { v[i] = x })
			}
			return
		case string:
			put(v + "x")
		case bool:
			put(!v)
		case json.Number:
			put(json.Number("77"))
		default:
			put("x")
		}
		b, err := json.Marshal(doc)
		ok(t, err)
		code, said := verified(key, string(b))
		put(v)
		n++
		isTold := false
		for member := range told {
			isTold = isTold || path == member || strings.HasPrefix(path, member+".")
		}
		if isTold != (code == 0) {
			t.Errorf("%s: exit code %d: %s", path, code, said)
		}
	}
	each("", doc, nil)
	if n < 100 {
		t.Errorf("only %d values were changed", n)
	}
}

// TestEveryProofOfAFileIsChecked: what "consent proof --subject" prints has several.
func TestEveryProofOfAFileIsChecked(t *testing.T) {
	key, file := linkedProof(t)
	if code, said := verified(key, file+"\n"+file+"\n"); code != 0 || strings.Count(said, `"record_id": "record-b"`) != 2 {
		t.Errorf("exit code %d: %s", code, said)
	}
	if code, said := verified(key, file+"\n"+strings.Replace(file, "ConsentGiven", "ConsentRefused", 1)); code != 1 || !strings.Contains(said, "proof 2 of the file") {
		t.Errorf("exit code %d: %s", code, said)
	}
	for name, x := range map[string]struct{ file, says string }{
		"nothing": {"", "empty"}, "half": {file[:len(file)/2], "unexpected EOF"}, "something else": {"[]", "unreadable"},
		"text": {"Nachweis einer Einwilligung", "reading the proof"}, "deep": {strings.Repeat("[", 99), "too deep"},
	} {
		if code, said := verified(key, x.file); code != 1 || !strings.Contains(said, x.says) {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
}

// TestTheAPIsAnswerHoldsNothingElse than the proof and the record's own id.
func TestTheAPIsAnswerHoldsNothingElse(t *testing.T) {
	m := make5(t)
	b, err := os.ReadFile(m.proof)
	ok(t, err)
	if code, said := verified(m.key, string(b)); code != 0 || !strings.Contains(said, "all of the file follows from it.") {
		t.Errorf("exit code %d: %s", code, said)
	}
	for name, x := range map[string]struct{ old, new, says string }{
		"another id":          {`"record_id":"record-d","status":"covered"`, `"record_id":"record-e","status":"covered"`, "another record"},
		"another status":      {`"status":"covered"`, `"status":"refused"`, "status"},
		"a member more":       {`"status":"covered"`, `"status":"covered","note":"x"`, "note"},
		"a member more in it": {`"index":3`, `"index":3,"note":"x"`, "note"},
		"its record twice":    {`"index":3`, `"index":3,"RECORD":{}`, "RECORD"},
	} {
		if !strings.Contains(string(b), x.old) {
			t.Fatalf("%s: no %s in %s", name, x.old, b)
		}
		if code, said := verified(m.key, strings.Replace(string(b), x.old, x.new, 1)); code != 1 || !strings.Contains(said, x.says) {
			t.Errorf("%s: exit code %d: %s", name, code, said)
		}
	}
}
