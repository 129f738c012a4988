package aws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretsmanagertypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// Account is how to reach AWS: region, credentials, and endpoints where they are
// not AWS's own (tests, SAM).
type Account struct {
	Region      string
	Credentials sdk.CredentialsProvider
	// Endpoints by service: DYNAMODB, S3, FIREHOSE, KMS, SECRETS_MANAGER. A missing one is AWS's own.
	Endpoints map[string]string
	HTTP      sdk.HTTPClient // nil: one with the time-outs below
	// Most tries of one call, the first included. 0: 3 (R: at most three times the requests).
	Attempts int
}

// services that a Host calls, as AWS_ENDPOINT_URL_ names them.
var services = []string{"DYNAMODB", "S3", "FIREHOSE", "KMS", "SECRETS_MANAGER"}

// AccountFromEnvironment reads what Lambda sets for every function. It looks at
// no file and calls nothing, so that a function starts at once; host/aws/signin
// finds credentials as the AWS command line does.
func AccountFromEnvironment() (Account, error) {
	a := Account{Region: os.Getenv("AWS_REGION"), Endpoints: EndpointsFromEnvironment(), HTTP: newHTTP()}
	var missing []string
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if os.Getenv(name) == "" {
			missing = append(missing, name+" is missing")
		}
	}
	if len(missing) > 0 {
		return a, fmt.Errorf("%s", strings.Join(missing, "; "))
	}
	a.Credentials = sdk.CredentialsProviderFunc(func(context.Context) (sdk.Credentials, error) {
		return sdk.Credentials{
			AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
			SessionToken: os.Getenv("AWS_SESSION_TOKEN"), Source: "environment",
		}, nil
	})
	return a, nil
}

// EndpointsFromEnvironment reads AWS_ENDPOINT_URL_SERVICE and AWS_ENDPOINT_URL.
func EndpointsFromEnvironment() map[string]string {
	out := map[string]string{}
	for _, s := range services {
		if url := firstSet(os.Getenv("AWS_ENDPOINT_URL_"+s), os.Getenv("AWS_ENDPOINT_URL")); url != "" {
			out[s] = url
		}
	}
	return out
}

func firstSet(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// patience bounds one try. A store that does not answer in it counts as failed.
const patience = 2 * time.Second

// config is what the clients of all services share.
func (a Account) config() sdk.Config {
	attempts := a.Attempts
	if attempts == 0 {
		attempts = 3
	}
	client := a.HTTP
	if client == nil {
		client = newHTTP()
	}
	return sdk.Config{Region: a.Region, Credentials: a.Credentials, HTTPClient: client, Retryer: func() sdk.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.Backoff = attempts, retry.BackoffDelayerFunc(jitter)
		})
	}}
}

// jitter draws the wait before a try is repeated, from nothing up to 50 ms, and to
// twice as much with each try up to 400 ms. The SDK's own would wait the whole of a
// bound below a second, every caller alike.
func jitter(attempt int, _ error) (time.Duration, error) {
	return rand.N(25 * time.Millisecond << min(max(attempt, 1), 4)), nil
}

// at is a service's endpoint, nil if it is AWS's own.
func (a Account) at(service string) *string {
	if url := a.Endpoints[service]; url != "" {
		return sdk.String(url)
	}
	return nil
}

func (a Account) clients() (*dynamodb.Client, *s3.Client, *firehose.Client, *kms.Client) {
	cfg := a.config()
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.BaseEndpoint = a.at("DYNAMODB") }),
		s3.NewFromConfig(cfg, func(o *s3.Options) { o.BaseEndpoint = a.at("S3"); o.UsePathStyle = a.Endpoints["S3"] != "" }),
		firehose.NewFromConfig(cfg, func(o *firehose.Options) { o.BaseEndpoint = a.at("FIREHOSE") }),
		kms.NewFromConfig(cfg, func(o *kms.Options) { o.BaseEndpoint = a.at("KMS") })
}

// Secret reads a value that somebody keeps in Secrets Manager, "" if nobody does.
// An error is one line that names the secret and the right.
func (a Account) Secret(ctx context.Context, name string) (string, error) {
	c := secretsmanager.NewFromConfig(a.config(), func(o *secretsmanager.Options) { o.BaseEndpoint = a.at("SECRETS_MANAGER") })
	out, err := c.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var none *secretsmanagertypes.ResourceNotFoundException
	if errors.As(err, &none) {
		return "", nil
	}
	if err != nil {
		return "", new(Host).fault("secretsmanager:GetSecretValue", "secret "+name, err)
	}
	return sdk.ToString(out.SecretString), nil
}

// newHTTP waits patience for an answer to begin; bodies of objects take as long as they take.
func newHTTP() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 2 * time.Second, ResponseHeaderTimeout: patience,
		MaxIdleConnsPerHost: 64, IdleConnTimeout: 90 * time.Second, ForceAttemptHTTP2: true,
	}}
}
