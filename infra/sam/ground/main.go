// Command ground is what the functions find around them when they run here under
// the SAM command line: an account (host/aws/awslocal), its secrets, and somebody
// who signs the tokens of staff. It writes how to reach it all into a file and
// stays until it is ended.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// Shop says how to reach what runs here. Its keys are made anew at each start.
type Shop struct {
	Endpoint  string            `json:"endpoint"` // of AWS's services
	Issuer    string            `json:"issuer"`   // of staff's tokens
	WriteKey  string            `json:"write_key"`
	ServerKey string            `json:"server_key"`
	Staff     map[string]string `json:"staff"` // role → token
}

func main() {
	host := flag.String("host", "127.0.0.1", "address that containers reach this machine at")
	prefix := flag.String("prefix", "handschlag-dev", "prefix of tables, streams, keys and secrets; buckets add the account")
	to := flag.String("to", "", "file to write")
	flag.Parse()
	if err := stay(*host, *prefix, *to); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func stay(host, prefix, to string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	g, err := awslocal.Open(net.JoinHostPort(host, "0"))
	if err != nil {
		return err
	}
	defer g.Close()
	if err := g.Make(ctx, prefix, prefix+"-"+awslocal.AccountID); err != nil {
		return err
	}
	s := Shop{Endpoint: g.URL, WriteKey: rand.Text(), ServerKey: rand.Text()}
	if err := s.keep(prefix); err != nil {
		return err
	}
	if s.Issuer, s.Staff, err = issue(host); err != nil {
		return fmt.Errorf("issuing tokens: %w", err)
	}
	if err := s.write(to); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// keep puts the secrets where the functions look for them. The ground asks for no
// signature, only who calls which service.
func (s Shop) keep(prefix string) error {
	for name, value := range map[string]string{"write-key": s.WriteKey, "server-key": s.ServerKey, "identity-secret": rand.Text() + rand.Text()} {
		body, err := json.Marshal(map[string]string{"Name": prefix + "/" + name, "SecretString": value})
		if err != nil {
			return err
		}
		r, err := http.NewRequest(http.MethodPost, s.Endpoint, bytes.NewReader(body))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", "secretsmanager.CreateSecret")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=ground/20260101/"+awslocal.Region+"/secretsmanager/aws4_request, SignedHeaders=host, Signature=none")
		if err := done(r); err != nil {
			return fmt.Errorf("keeping secret %s: %w", name, err)
		}
	}
	return nil
}

func done(r *http.Request) error {
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		return fmt.Errorf("%s: %s", res.Status, b)
	}
	return nil
}

// write puts the file there in one step: whoever sees it sees all of it.
func (s Shop) write(to string) error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	tmp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to))
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, to)
}
