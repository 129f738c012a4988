//go:build awslocal

package aws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/flow"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func bucketsOf(o aws.Options) *s3.Client {
	at := o.Account.Endpoints["S3"]
	return s3.New(s3.Options{Region: o.Account.Region, Credentials: o.Account.Credentials, BaseEndpoint: &at, UsePathStyle: true})
}

func put(t testing.TB, o aws.Options, bucket, key, body string) {
	t.Helper()
	_, err := bucketsOf(o).PutObject(ctx, &s3.PutObjectInput{Bucket: sdk.String(o.Buckets + "-" + bucket), Key: &key, Body: strings.NewReader(body)})
	ok(t, err)
}

// objects lists keys.
func objects(t testing.TB, o aws.Options, bucket, prefix string) (keys []string) {
	t.Helper()
	out, err := bucketsOf(o).ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: sdk.String(o.Buckets + "-" + bucket), Prefix: &prefix})
	ok(t, err)
	for _, x := range out.Contents {
		keys = append(keys, *x.Key)
	}
	return keys
}

// attributes says how many attributes the items of a table have.
func attributes(t testing.TB, o aws.Options, table string) map[int]int {
	t.Helper()
	at := o.Account.Endpoints["DYNAMODB"]
	c := dynamodb.New(dynamodb.Options{Region: o.Account.Region, Credentials: o.Account.Credentials, BaseEndpoint: &at})
	out, err := c.Scan(ctx, &dynamodb.ScanInput{TableName: sdk.String(o.Prefix + "-" + table)})
	ok(t, err)
	n := map[int]int{}
	for _, i := range out.Items {
		n[len(i)]++
	}
	return n
}

const rowsOfAda = "key\n" + "0123456789abcdef"

// publishedExports puts a night that is shown, and files that are not.
func publishedExports(t testing.TB, o aws.Options) {
	put(t, o, "exports", "2026-11-20/run-1/manifest.json", `{"files":[{"name":"loyal.csv"}]}`)
	put(t, o, "exports", "2026-11-20/run-1/loyal.csv", rowsOfAda)
	put(t, o, "exports", "2026-11-20/run-0/loyal.csv", "an earlier run")
	put(t, o, "exports", "2026-11-21/run-2/manifest.json", "not shown yet")
	put(t, o, "exports", "verifier", "a key")
	put(t, o, "exports", "current.json", `{"run":"run-1","nights":{"2026-11-20":"run-1"}}`)
}

func TestOnlyWhatThePointerNamesIsShown(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	h := opened(t, o)
	if days, err := fs.ReadDir(h.Exports(ctx), "."); err != nil || len(days) != 0 {
		t.Errorf("before the first night: %v, %v", days, err)
	}
	publishedExports(t, o)
	root := h.Exports(ctx)
	if err := fstest.TestFS(root, "2026-11-20/loyal.csv", "2026-11-20/manifest.json"); err != nil {
		t.Error(err)
	}
	if body, err := fs.ReadFile(root, "2026-11-20/loyal.csv"); err != nil || string(body) != rowsOfAda {
		t.Errorf("got %q, %v", body, err)
	}
	for _, name := range []string{"2026-11-21", "2026-11-21/manifest.json", "2026-11-20/run-0/loyal.csv", "2026-11-20/run-1/loyal.csv", "current.json"} {
		if _, err := fs.Stat(root, name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is shown: %v", name, err)
		}
	}
}

func TestAnExportIsReadFromAnyPlace(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	publishedExports(t, o)
	f, err := opened(t, o).Exports(ctx).Open("2026-11-20/loyal.csv")
	ok(t, err)
	defer f.Close()
	for _, s := range []struct {
		offset int64
		whence int
		want   string
	}{{4, io.SeekStart, rowsOfAda[4:]}, {-3, io.SeekEnd, "def"}, {0, io.SeekStart, rowsOfAda}, {0, io.SeekEnd, ""}} {
		_, err := f.(io.Seeker).Seek(s.offset, s.whence)
		ok(t, err)
		if got, err := io.ReadAll(f); err != nil || string(got) != s.want {
			t.Errorf("from %d: %q, %v", s.offset, got, err)
		}
	}
	if _, err := f.(io.Seeker).Seek(-1, io.SeekStart); err == nil {
		t.Error("a place before the beginning")
	}
}

// An object that was replaced since it was listed is an error, not another file.
func TestAnExportThatChangedIsNotRead(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	publishedExports(t, o)
	f, err := opened(t, o).Exports(ctx).Open("2026-11-20/loyal.csv")
	ok(t, err)
	put(t, o, "exports", "2026-11-20/run-1/loyal.csv", strings.ToUpper(rowsOfAda))
	if got, err := io.ReadAll(f); err == nil {
		t.Errorf("read %q", got)
	}
}

// torn breaks the first bodies of objects off after some bytes.
type torn struct {
	*http.Client
	left atomic.Int64
}

func (c *torn) Do(r *http.Request) (*http.Response, error) {
	out, err := c.Client.Do(r)
	if err == nil && strings.HasSuffix(r.URL.Path, "loyal.csv") && c.left.Add(-1) >= 0 {
		half, _ := io.ReadAll(io.LimitReader(out.Body, 5))
		_ = out.Body.Close()
		out.Body = io.NopCloser(io.MultiReader(bytes.NewReader(half), broken{}))
	}
	return out, err
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestABrokenTransferGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	publishedExports(t, o)
	line := &torn{Client: impatient(5 * time.Second)}
	o.Account.HTTP = line
	h := opened(t, o)
	for breaks, whole := range map[int64]bool{0: true, 1: true, 2: true, 9: false} {
		line.left.Store(breaks)
		f, err := h.Exports(ctx).Open("2026-11-20/loyal.csv")
		ok(t, err)
		got, err := io.ReadAll(f)
		if whole && (err != nil || string(got) != rowsOfAda) || !whole && err == nil {
			t.Errorf("%d breaks: %q, %v", breaks, got, err)
		}
	}
}

func TestALinkServesTheFileToWhoeverHasIt(t *testing.T) {
	t.Parallel()
	o := awslocal.Start(t).Fresh(t)
	publishedExports(t, o)
	f, err := opened(t, o).Exports(ctx).Open("2026-11-20/loyal.csv")
	ok(t, err)
	at, err := f.(flow.Linker).Link(ctx, 5*time.Minute)
	ok(t, err)
	if !strings.Contains(at, "X-Amz-Expires=300&") {
		t.Errorf("the link is for another time: %s", at)
	}
	res, err := http.Get(at)
	ok(t, err)
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); res.StatusCode != 200 || string(body) != rowsOfAda {
		t.Errorf("got %d %q", res.StatusCode, body)
	}
}

func TestExportsThatCannotBeReadAreOneLine(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	o := g.Fresh(t)
	o.Account = g.Account("exportless")
	h := opened(t, o)
	g.Refuse("exportless", "denied")
	defer g.Refuse("exportless", "")
	_, err := fs.ReadDir(h.Exports(ctx), ".")
	if err == nil || !strings.Contains(err.Error(), "bucket "+o.Buckets+"-exports: the role lacks this right") || strings.Contains(err.Error(), "\n") {
		t.Errorf("said: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := fs.ReadDir(h.Exports(gone), "."); err == nil {
		t.Error("a caller who hung up is still served")
	}
}

func TestReadyNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	g := awslocal.Start(t)
	for kind, want := range map[string]string{"denied": "lacks this right", "absent": "does not exist", "expired": "expired", "skewed": "clock"} {
		o := g.Fresh(t)
		function := fmt.Sprint("unready", kind)
		o.Account = g.Account(function)
		h := opened(t, o)
		ok(t, h.Ready(ctx))
		g.Refuse(function, kind)
		err := h.Ready(ctx)
		g.Refuse(function, "")
		if err == nil || !strings.Contains(err.Error(), o.Prefix+"-control") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
