//go:build awslocal

package functions_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/handschlag/handschlag/host/aws"
)

// searchAccount looks for words in every item of every table, in every object of
// every bucket, and in all that the functions printed.
func (s *shop) searchAccount(words ...string) {
	s.t.Helper()
	looked := 0
	look := func(where string, b []byte) {
		looked++
		for _, body := range [][]byte{b, unzipped(b)} {
			for _, w := range words {
				if bytes.Contains(body, []byte(w)) {
					s.t.Errorf("%q is in %s", w, where)
				}
			}
		}
	}
	look("the log", []byte(s.said.String()))
	for _, f := range s.functions {
		_ = f.Close() // it writes what is on its way
	}
	s.ground.Flush()
	cfg := sdk.Config{Region: "eu-central-1", Credentials: s.ground.Account("auditor").Credentials, BaseEndpoint: &s.ground.URL}
	db := dynamodb.NewFromConfig(cfg)
	for _, t := range aws.Tables {
		for pages := dynamodb.NewScanPaginator(db, &dynamodb.ScanInput{TableName: sdk.String(s.options.Prefix + "-" + t.Name)}); pages.HasMorePages(); {
			page, err := pages.NextPage(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			for _, i := range page.Items {
				for name, v := range i {
					look("table "+t.Name+", attribute "+name, bytesOf(v))
				}
			}
		}
	}
	objects := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
	for _, b := range aws.Buckets {
		bucket := sdk.String(s.options.Buckets + "-" + b.Name)
		for pages := s3.NewListObjectsV2Paginator(objects, &s3.ListObjectsV2Input{Bucket: bucket}); pages.HasMorePages(); {
			page, err := pages.NextPage(s.t.Context())
			if err != nil {
				s.t.Fatal(err)
			}
			for _, o := range page.Contents {
				out, err := objects.GetObject(s.t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: o.Key})
				if err != nil {
					s.t.Fatal(err)
				}
				body, err := io.ReadAll(out.Body)
				if err != nil {
					s.t.Fatal(err)
				}
				look("bucket "+b.Name+", object "+*o.Key, append(body, *o.Key...))
			}
		}
	}
	if looked < 50 {
		s.t.Errorf("only %d places were searched", looked)
	}
}

// bytesOf is an attribute's value as it would be read.
func bytesOf(v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return []byte(v.Value)
	case *types.AttributeValueMemberB:
		return v.Value
	case *types.AttributeValueMemberM:
		var out []byte
		for k, x := range v.Value {
			out = append(append(out, k...), bytesOf(x)...)
		}
		return out
	}
	return fmt.Appendf(nil, "%v", v)
}

// unzipped is what gzip packed, or nothing.
func unzipped(b []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	out, _ := io.ReadAll(z)
	return out
}

// since gives what the functions print after so many lines. That comes a moment after
// the answer, so it waits until what is wanted was said, for a few seconds.
func (s *said) since(n int, want string) (told string) {
	for until := time.Now().Add(5 * time.Second); time.Now().Before(until); time.Sleep(time.Millisecond) {
		if told = strings.Join(s.lines()[n:], "\n"); strings.Contains(told, want) {
			break
		}
	}
	return told
}

// lines are what the functions printed so far.
func (s *said) lines() []string {
	return strings.FieldsFunc(s.String(), func(r rune) bool { return r == '\n' })
}
