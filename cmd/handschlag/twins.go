package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
)

type auditTwinsCmd struct {
	place
	URL     string `placeholder:"http://HOST:PORT" help:"A running server; default: the one that serves the data folder, else the folder itself."`
	Key     string `env:"HANDSCHLAG_SERVER_KEY" help:"Its server key, with --url." hidden:""`
	Quotes  string `placeholder:"FILE" help:"Quotes of your own to send, one JSON object per line (POST /v1/price); default: a set that covers every basis."`
	Product string `help:"A product of the catalogue that the offer pairs look at; default: one that no catalogue has."`
	Lang    string `enum:"de,en" default:"en" help:"Language: de or en."`
	JSON    bool   `help:"Print every pair as a line of JSON."`
}

// Help says what is left behind, before anybody starts it.
func (auditTwinsCmd) Help() string {
	return "The two persons are: " + munich.name + "; and: " + mecklenburg.name + ". " + twinWords["en"]["writes"] +
		" To leave nothing in a real shop, ask a copy of its data folder." +
		" Without a server the folder is opened here, by the clock of this machine or that of HANDSCHLAG_CLOCK."
}

// twin is one of two persons who differ only in what must not matter.
type twin struct {
	name    string // also its words in twinWords
	headers map[string]string
	context map[string]any
}

// The twins of the interview: same cart, same need, other device and place
// (addresses are of the blocks reserved for documentation).
var (
	munich = twin{"Munich, Apple device", map[string]string{
		"User-Agent":      "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
		"X-Forwarded-For": "192.0.2.17", "Accept-Language": "de-DE,de;q=0.9", "Sec-CH-UA-Platform": `"macOS"`,
	}, map[string]any{
		"ip": "192.0.2.17", "locale": "de-DE", "timezone": "Europe/Berlin", "screen": map[string]any{"width": 3456, "height": 2234, "density": 2},
		"device": map[string]any{"manufacturer": "Apple", "model": "MacBookPro18,3", "type": "desktop"}, "os": map[string]any{"name": "macOS", "version": "14.6"},
		"location":  map[string]any{"city": "München", "region": "Bayern", "country": "Germany"},
		"userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.6 Safari/605.1.15",
	}}
	mecklenburg = twin{"Mecklenburg-Vorpommern, old Windows device", map[string]string{
		"User-Agent":      "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
		"X-Forwarded-For": "198.51.100.83", "Accept-Language": "de-DE,de;q=0.9", "Sec-CH-UA-Platform": `"Windows"`,
	}, map[string]any{
		"ip": "198.51.100.83", "locale": "de-DE", "timezone": "Europe/Berlin", "screen": map[string]any{"width": 1366, "height": 768, "density": 1},
		"device": map[string]any{"manufacturer": "Medion", "model": "E6222", "type": "desktop"}, "os": map[string]any{"name": "Windows", "version": "7"},
		"location":  map[string]any{"city": "Anklam", "region": "Mecklenburg-Vorpommern", "country": "Germany"},
		"userAgent": "Mozilla/5.0 (Windows NT 6.1; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36",
	}}
)

// wordList are words by key; one that is missing is the key itself.
type wordList map[string]string

func (w wordList) of(key string) string {
	if said, ok := w[key]; ok {
		return said
	}
	return key
}

var twinWords = map[string]wordList{
	"en": {
		"head": "twins: %s | %s; asking %s", "served": "the server of %s", "opened": "%s, opened here as no server runs on it",
		"writes": "This writes into the shop that is asked: test visitors (twin-…), consent records of theirs and decisions. At the end their consents are withdrawn and the visitors erased; leaves of the consent ledger and the decisions stay, with their numbers.",
		"old":    "The newest decision or event here is of %s, the clock says %s: the folder seems to be a demo or a copy. Set HANDSCHLAG_CLOCK=@FILE to ask as of then.",
		"left":   "left in the shop: %d decisions; %d of %d test visitors were withdrawn and erased",
		"sum":    "%d price pairs, %d offer pairs, %d differences (%d offer pairs drawn anew because chance had put one twin into the hold-out)",
		"denied": "the list price; the offer was denied", "then": ", then ",
	},
	"de": {
		"head": "Zwillinge: %s | %s; gefragt wird %s", "served": "der Server von %s", "opened": "%s, hier geöffnet, da kein Server darauf läuft",
		"writes": "Das schreibt in den gefragten Shop: Testbesucher (twin-…), deren Einwilligungen und Entscheidungen. Am Ende werden die Einwilligungen widerrufen und die Besucher gelöscht; Blätter des Einwilligungsbuchs und die Entscheidungen bleiben, mit ihren Nummern.",
		"old":    "Das Neueste hier, Entscheidung oder Ereignis, ist vom %s, die Uhr zeigt den %s: der Ordner scheint eine Vorführung oder Kopie zu sein. HANDSCHLAG_CLOCK=@DATEI fragt zum damaligen Stand.",
		"left":   "im Shop geblieben: %d Entscheidungen; %d von %d Testbesuchern widerrufen und gelöscht",
		"sum":    "%d Preispaare, %d Angebotspaare, %d Unterschiede (%d Angebotspaare neu gezogen, weil der Zufall einen Zwilling in die Kontrollgruppe gelost hatte)",
		"denied": "der Listenpreis; das Angebot wurde abgelehnt", "then": ", dann ",
		munich.name: "München, Apple-Gerät", mecklenburg.name: "Mecklenburg-Vorpommern, altes Windows-Gerät",
		"price": "Preis", "offer": "Angebot", "same": "gleich", "DIFFERENT": "VERSCHIEDEN",
		"device and place": "Gerät und Ort", "history": "Vorgeschichte", "consent status": "Einwilligungsstand",
		"looking around": "sich umsehen", "unsure of the size": "unsicher bei der Größe",
		"searching in vain, then failing to pay": "vergeblich suchen, dann am Bezahlen scheitern", "asking for a human": "nach einem Menschen fragen",
	},
}

// Run sends the pairs and compares the answers.
func (c auditTwinsCmd) Run(ctx context.Context, s streams) error {
	own, err := c.quotes(s)
	if err != nil {
		return err
	}
	if c.URL != "" {
		r, err := c.remote()
		if err != nil {
			return err
		}
		c.begin(s, c.URL)
		return errors.Join(c.compare(ctx, s, r, own), r.close())
	}
	return c.within(ctx, s, func(r *reached) error {
		where := "served"
		if !r.served {
			where = "opened"
		}
		c.begin(s, fmt.Sprintf(twinWords[c.Lang][where], c.Data))
		newest, err := r.newest(ctx)
		if err != nil {
			return err
		}
		if !r.served && newest.forgotten() {
			c.say(s, "old", day(newest.last()), day(newest.Now))
		}
		return c.compare(ctx, s, &door{http: r.http, base: "http://admin", close: func() error { return nil }}, own)
	})
}

// begin says who the twins are and what will be written, before anything is.
func (c auditTwinsCmd) begin(s streams, where string) {
	w := twinWords[c.Lang]
	c.say(s, "head", w.of(munich.name), w.of(mecklenburg.name), where)
	c.say(s, "writes")
}

// say prints a line of words; beside lines of JSON it goes to standard error.
func (c auditTwinsCmd) say(s streams, key string, args ...any) {
	if c.JSON {
		s.out = s.err
	}
	s.printf(twinWords[c.Lang][key]+"\n", args...)
}

// door is a server as twins come to it.
type door struct {
	http  *http.Client
	base  string
	key   string
	close func() error
	made  int // decisions that the answers named
}

func (c auditTwinsCmd) remote() (*door, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("--url: want http://HOST:PORT, got %q", c.URL)
	}
	if c.Key == "" {
		return nil, errors.New("--url needs the server's secret key in HANDSCHLAG_SERVER_KEY")
	}
	client := &http.Client{Transport: &http.Transport{}}
	return &door{http: client, base: strings.TrimRight(c.URL, "/"), key: c.Key, close: func() error { client.CloseIdleConnections(); return nil }}, nil
}

// post sends a call as a twin and gives the answer, errors included: twins are
// to be told the same, whatever it is.
func (d *door) post(ctx context.Context, as twin, path string, body any) (int, map[string]any, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return 0, nil, fmt.Errorf("writing the call: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, "POST", d.base+path, strings.NewReader(string(b)))
	if err != nil {
		return 0, nil, fmt.Errorf("writing the call: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range as.headers {
		req.Header.Set(k, v)
	}
	if d.key != "" {
		req.SetBasicAuth(d.key, "")
	}
	res, err := d.http.Do(req)
	if err != nil {
		return 0, nil, broken(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return res.StatusCode, nil, fmt.Errorf("%s answered %d with something that is no JSON object", path, res.StatusCode)
	}
	if id, _ := out["decision_id"].(string); id != "" {
		d.made++
	}
	if res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden || res.StatusCode >= 500 {
		return res.StatusCode, out, fmt.Errorf("%s answered %d: %v", path, res.StatusCode, detail(out))
	}
	return res.StatusCode, out, nil
}

func detail(out map[string]any) any {
	if e, ok := out["error"].(map[string]any); ok {
		return e["detail"]
	}
	return out
}

// quotes reads --quotes, or gives the set.
func (c auditTwinsCmd) quotes(s streams) ([]map[string]any, error) {
	if c.Quotes == "" {
		return quoteSet, nil
	}
	f, err := os.Open(c.Quotes)
	if err != nil {
		return nil, fmt.Errorf("reading quotes: %w", err)
	}
	defer func() { _ = f.Close() }()
	var out []map[string]any
	dec := json.NewDecoder(bufio.NewReader(f))
	for {
		var q map[string]any
		switch err := dec.Decode(&q); {
		case errors.Is(err, io.EOF) && len(out) == 0:
			return nil, fmt.Errorf("%s: there is no quote in it", c.Quotes)
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, fmt.Errorf("%s: quote %d: %w", c.Quotes, len(out)+1, err)
		}
		out = append(out, q)
	}
}

// compare sends every pair. Any difference is shown, and is an error in the end.
func (c auditTwinsCmd) compare(ctx context.Context, s streams, d *door, quotes []map[string]any) error {
	t := &twins{door: d, streams: s, json: c.JSON, product: c.Product, words: twinWords[c.Lang]}
	err := t.prices(ctx, quotes)
	if err == nil {
		err = t.offers(ctx)
	}
	err = errors.Join(err, t.leave(context.WithoutCancel(ctx)))
	c.say(s, "left", d.made, t.gone, len(t.ids))
	if err != nil {
		return err
	}
	if !c.JSON {
		c.say(s, "sum", t.pricePairs, t.offerPairs, t.differ, t.redrawn)
	}
	if t.differ > 0 {
		return fmt.Errorf("%d of %d pairs were treated differently", t.differ, t.pricePairs+t.offerPairs)
	}
	return nil
}

// twins counts pairs on their way.
type twins struct {
	*door
	streams
	json                   bool
	product                string
	words                  wordList
	pricePairs, offerPairs int
	differ, redrawn        int
	ids                    []string // test visitors, to be let go
	gone                   int      // of these
}

// pair is one comparison, as printed.
type pair struct {
	Kind       string   `json:"kind"` // price | offer
	What       string   `json:"what"`
	Differ     string   `json:"differ_in"`
	Same       bool     `json:"same"`
	Answer     string   `json:"answer"`                // in a few words
	Difference []string `json:"differences,omitempty"` // path: one | other
}

func (t *twins) report(p pair) error {
	if !p.Same {
		t.differ++
	}
	if t.json {
		return json.NewEncoder(t.out).Encode(p)
	}
	word := "same"
	if !p.Same {
		word = "DIFFERENT"
	}
	t.printf("%-7s %-13s %s [%s]: %s\n", t.words.of(p.Kind), t.words.of(word), t.words.of(p.What), t.words.of(p.Differ), p.Answer)
	for _, d := range p.Difference {
		t.printf("      %s\n", d)
	}
	return nil
}

// own are members of an answer that are each call's own.
var own = []string{"decision_id", "token", "expires_at"}

// differences lists the paths at which two answers differ.
func differences(path string, a, b any) (out []string) {
	x, isX := a.(map[string]any)
	y, isY := b.(map[string]any)
	if !isX || !isY {
		if !reflect.DeepEqual(a, b) {
			out = append(out, fmt.Sprintf("%s: %v | %v", strings.TrimPrefix(path, "."), a, b))
		}
		return out
	}
	keys := maps.Clone(x)
	maps.Copy(keys, y)
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if !slices.Contains(own, k) {
			out = append(out, differences(path+"."+k, x[k], y[k])...)
		}
	}
	return out
}

// visitor makes an id for a test visitor.
func (t *twins) visitor() string {
	id := "twin-" + rand.Text()
	t.ids = append(t.ids, id)
	return id
}

// consents records a visitor's choice about a list of purposes: all yes, or all no.
func (t *twins) consents(ctx context.Context, as twin, id string, yes bool, purposes ...string) (string, error) {
	choice := map[string]bool{}
	for _, p := range purposes {
		choice[p] = yes
	}
	body := map[string]any{
		"anonymousId": id, "purposes": choice, "purposes_shown": purposes, "method": "save",
		"notice": map[string]any{"version": "1", "language": "de"}, "ui": map[string]any{"version": "banner-1"},
	}
	status, out, err := t.post(ctx, as, "/v1/consent", body)
	if err == nil && status != http.StatusCreated {
		err = fmt.Errorf("recording a twin's consent: status %d: %v", status, detail(out))
	}
	record, _ := out["record_id"].(string)
	return record, err
}

// leave takes back what the test visitors said, and has them erased where the
// server knows erasure.
func (t *twins) leave(ctx context.Context) error {
	for _, id := range t.ids {
		if _, err := t.consents(ctx, munich, id, false, "analytics", "adviser_assist"); err != nil {
			return fmt.Errorf("letting a test visitor go: %w", err)
		}
		_, out, err := t.post(ctx, munich, "/v1/rights", map[string]any{"anonymousId": id, "request": "erasure"})
		if err != nil {
			return fmt.Errorf("erasing a test visitor: %w", err)
		}
		if record, _ := out["request_id"].(string); record != "" && out["error"] == nil {
			t.made++ // the decision that erased
			t.gone++
		}
	}
	return nil
}
