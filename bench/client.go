package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// load is a closed loop of keep-alive connections: each sends its next batch when
// the last one is answered, or when its turn comes if every is set.
type load struct {
	addr   string
	bodies []body
	conns  int
	every  time.Duration // between two batches of one connection; 0: at once
	want   []byte        // that each answer holds
}

// tally is what a load did.
type tally struct {
	requests atomic.Int64
	events   atomic.Int64
	latency  histogram
}

// run sends until the time is over and every request is answered.
func (l load) run(ctx context.Context, d time.Duration) (*tally, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	t := &tally{}
	errs := make([]error, l.conns)
	var wg sync.WaitGroup
	for i := range l.conns {
		wg.Go(func() { errs[i] = l.connection(ctx, t, rand.New(rand.NewPCG(uint64(i), serial.Load()))) })
	}
	wg.Wait()
	return t, errors.Join(errs...)
}

func (l load) connection(ctx context.Context, t *tally, r *rand.Rand) error {
	conn, err := net.Dial("tcp", l.addr)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	c := client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10)}
	next := time.Now().Add(time.Duration(r.Int64N(int64(l.every) + 1)))
	for ctx.Err() == nil {
		if l.every > 0 {
			time.Sleep(time.Until(next))
			next = next.Add(l.every)
		}
		b := l.bodies[r.IntN(len(l.bodies))]
		start := time.Now()
		if err := c.send(b, start, l.want); err != nil {
			return err
		}
		t.latency.add(time.Since(start))
		t.requests.Add(1)
		t.events.Add(int64(len(b.stamps)))
	}
	return nil
}

// client is one connection. It writes requests by hand: net/http's client would
// cost as much as the server under test.
type client struct {
	conn net.Conn
	in   *bufio.Reader
	buf  []byte
	got  bytes.Buffer
}

var batchHead = "POST /v1/batch HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nAuthorization: Basic " +
	base64.StdEncoding.EncodeToString([]byte(writeKey+":")) + "\r\nContent-Length: "

func (c *client) send(b body, now time.Time, want []byte) error {
	c.buf = append(c.buf[:0], batchHead...)
	c.buf = strconv.AppendInt(c.buf, int64(len(b.json)), 10)
	c.buf = b.stamped(append(c.buf, "\r\n\r\n"...), now)
	if _, err := c.conn.Write(c.buf); err != nil {
		return err
	}
	res, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return err
	}
	c.got.Reset()
	if _, err := io.Copy(&c.got, res.Body); err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK || !bytes.Contains(c.got.Bytes(), want) {
		return fmt.Errorf("want 200 with %s, got %s %.300s", want, res.Status, c.got.Bytes())
	}
	return nil
}

var direct = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// call sends one JSON value to the shop, outside of what is measured.
func call(ctx context.Context, method, addr, path, key string, payload []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, bytes.NewReader(payload))
	if err != nil {
		return err
	}
	req.SetBasicAuth(key, "")
	req.Header.Set("Content-Type", "application/json")
	res, err := direct.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s %.300s", method, path, res.Status, answer)
	}
	return err
}
