package awslocal

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/handschlag/handschlag/host/aws"
)

// Region and AccountID are where the ground pretends to be.
const (
	Region    = "eu-central-1"
	AccountID = "123456789012"
)

// Ground is a started stand-in for an account.
type Ground struct {
	URL string // of every service

	server *http.Server
	dynamo *process
	moto   *process
	store  *store
	hose   *hose
	send   *http.Client
	books  books
	spans  spans
	stale  memory
	stop   chan struct{}
}

var shared struct {
	once   sync.Once
	ground *Ground
	err    error
}

// Start gives the test process's one ground. It ends with the process, also if a
// test runs out of time.
func Start(t testing.TB) *Ground {
	t.Helper()
	shared.once.Do(func() { shared.ground, shared.err = Open("127.0.0.1:0") })
	if shared.err != nil {
		t.Fatalf("starting the ground (tools/aws-ground installs it): %v", shared.err)
	}
	return shared.ground
}

// Open starts a ground that listens at an address.
func Open(listen string) (*Ground, error) {
	g := &Ground{stop: make(chan struct{}), store: newStore(), send: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 128}}}
	g.hose = newHose(g.store)
	g.books.of, g.stale.said = map[string]*page{}, map[string][]byte{}
	if err := errors.Join(g.startServices(), g.listen(listen)); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	go g.hose.deliverEvery(200*time.Millisecond, g.stop)
	return g, nil
}

func (g *Ground) listen(at string) error {
	l, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	g.URL = "http://" + l.Addr().String()
	g.server = &http.Server{Handler: http.HandlerFunc(g.serve), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = g.server.Serve(l) }()
	return nil
}

// startServices starts what is not in this process, side by side.
func (g *Ground) startServices() error {
	dir, err := installed()
	if err != nil {
		return err
	}
	errs := make([]error, 2)
	var wg sync.WaitGroup
	wg.Go(func() { g.dynamo, errs[0] = startDynamo(dir) })
	wg.Go(func() { g.moto, errs[1] = startMoto(dir) })
	wg.Wait()
	return errors.Join(errs...)
}

// Close delivers what is on its way and ends every process.
func (g *Ground) Close() error {
	close(g.stop)
	g.hose.deliver()
	for _, p := range []*process{g.dynamo, g.moto} {
		if p != nil {
			p.end()
		}
	}
	if g.server == nil {
		return nil
	}
	return g.server.Close()
}

// Flush delivers at once what the streams hold.
func (g *Ground) Flush() { g.hose.deliver() }

// Account is the account as a function reaches it. Its access key id is the
// function's name, which must be letters and digits.
func (g *Ground) Account(function string) aws.Account {
	for _, c := range function {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			panic(fmt.Sprintf("%q cannot be an access key id", function))
		}
	}
	return aws.Account{
		Region:      Region,
		Credentials: sdk.NewCredentialsCache(credentials.NewStaticCredentialsProvider(function, "secret", "")),
		Endpoints:   map[string]string{"DYNAMODB": g.URL, "S3": g.URL, "FIREHOSE": g.URL, "KMS": g.URL, "SECRETS_MANAGER": g.URL},
	}
}

// Environment is what a process needs to reach the ground as a function.
func (g *Ground) Environment(function string) []string {
	env := []string{
		"AWS_REGION=" + Region, "AWS_DEFAULT_REGION=" + Region, "AWS_ACCESS_KEY_ID=" + function, "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_ENDPOINT_URL=" + g.URL,
	}
	for _, s := range []string{"DYNAMODB", "S3", "FIREHOSE", "KMS", "SECRETS_MANAGER"} {
		env = append(env, "AWS_ENDPOINT_URL_"+s+"="+g.URL)
	}
	return env
}
