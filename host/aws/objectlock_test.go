//go:build awslocal && objectlock

package aws_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/host/aws"
	"github.com/handschlag/handschlag/host/aws/awslocal"
)

// lockedDays is how long the bucket keeps what is put into it (proof_lock_days).
const lockedDays = 1461

// locked opens a host whose buckets lie on versitygw, an S3 server that takes object
// lock seriously (HANDSCHLAG_VERSITYGW is its program), locked as infra/terraform
// locks them.
func locked(t *testing.T) (*aws.Host, *s3.Client, aws.Options) {
	t.Helper()
	o := awslocal.Start(t).Fresh(t)
	o.Account.Endpoints["S3"] = "http://" + gateway(t)
	c := s3.New(s3.Options{Region: awslocal.Region, Credentials: o.Account.Credentials, BaseEndpoint: sdk.String(o.Account.Endpoints["S3"]), UsePathStyle: true})
	for _, b := range aws.Buckets {
		name := sdk.String(o.Buckets + "-" + b.Name)
		_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name, ObjectLockEnabledForBucket: &b.Locked})
		ok(t, err)
		if b.Locked {
			_, err = c.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: name, ObjectLockConfiguration: &types.ObjectLockConfiguration{
				ObjectLockEnabled: types.ObjectLockEnabledEnabled,
				Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeCompliance, Days: sdk.Int32(lockedDays)}},
			}})
			ok(t, err)
		}
	}
	return opened(t, o), c, o
}

// gateway starts versitygw in folders of its own and gives its address.
func gateway(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	address := l.Addr().String()
	ok(t, l.Close())
	data, versions := t.TempDir(), t.TempDir()
	cmd := exec.Command(os.Getenv("HANDSCHLAG_VERSITYGW"), "--access", "test", "--secret", "secret", "--port", address, "--region", awslocal.Region, "posix", "--versioning-dir", versions, data)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &said, &said, filepath.Dir(data)
	ok(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			ok(t, c.Close())
			return address
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("versitygw does not listen: %s", said.String())
	return ""
}

// versions reads every version of an object, newest first; a delete marker is nil.
func versions(t *testing.T, c *s3.Client, bucket, key string) (ids []string, bodies [][]byte) {
	t.Helper()
	out, err := c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket, Prefix: &key})
	ok(t, err)
	for _, v := range out.Versions {
		o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key, VersionId: v.VersionId})
		ok(t, err)
		b, err := io.ReadAll(o.Body)
		ok(t, err)
		ok(t, o.Body.Close())
		ids, bodies = append(ids, *v.VersionId), append(bodies, b)
	}
	return ids, bodies
}

// refused checks that the server said no, and to what.
func refused(t *testing.T, what string, err error, codes ...string) {
	t.Helper()
	var said smithy.APIError
	if !errors.As(err, &said) {
		t.Errorf("%s: want a refusal, got %v", what, err)
		return
	}
	for _, code := range codes {
		if said.ErrorCode() == code {
			t.Logf("%s: %s", what, said.ErrorCode())
			return
		}
	}
	t.Errorf("%s: want %v, got %s", what, codes, said.ErrorCode())
}

// That nobody shortens the time is not shown here: S3 gives each object the
// bucket's time when it is put, versitygw looks it up when somebody deletes.
func TestObjectLockNobodyTakesACheckpointBack(t *testing.T) {
	h, c, o := locked(t)
	s := someone(t, h, consent.Device, "the-device-of-ada")
	say(t, h, s, recordThat("record-1", noon, consent.Device, true, consent.Analytics))
	ok(t, h.Sequence(ctx))
	bucket, key := o.Buckets+"-proof", "checkpoints/00000000000000000001"
	ids, notes := versions(t, c, bucket, key)
	if len(ids) != 1 {
		t.Fatalf("want one version of %s, got %d", key, len(ids))
	}

	yes := true
	_, err := c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: &ids[0]})
	refused(t, "deleting it", err, "AccessDenied", "InvalidRequest")
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key, VersionId: &ids[0], BypassGovernanceRetention: &yes})
	refused(t, "deleting it as one who may bypass", err, "AccessDenied", "InvalidRequest")
	_, err = c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended}})
	refused(t, "suspending versions", err, "InvalidBucketState", "AccessDenied")

	// What S3 lets anybody with the right do hides a version, and takes none away.
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: bytes.NewReader([]byte("another history"))})
	t.Logf("writing over it: %v", err)
	_, err = c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: &key})
	t.Logf("deleting its name: %v", err)
	after, bodies := versions(t, c, bucket, key)
	if n := len(after) - 1; after[n] != ids[0] || !bytes.Equal(bodies[n], notes[0]) {
		t.Errorf("the first version is gone: %d versions", len(after))
	}
}

// TestObjectLockACheckpointIsPutOnce stops a sequencer after every number of
// requests, also between locking a checkpoint and publishing it. Whoever comes next
// puts the same checkpoint again: it stays as it is, once, and is published.
func TestObjectLockACheckpointIsPutOnce(t *testing.T) {
	sound, c, o := locked(t)
	s := someone(t, sound, consent.Device, "the-device-of-ada")
	again := 0
	for n := int64(1); ; n++ {
		h, line := behind(t, o)
		say(t, h, s, recordThat(fmt.Sprintf("record-%d", n), noon.Add(time.Duration(n)*time.Minute), consent.Device, n%2 == 0, consent.Analytics))
		key := fmt.Sprintf("checkpoints/%020d", n)
		line.left.Store(n)
		stopped := h.Sequence(ctx) != nil
		line.left.Store(-1)
		was, _ := versions(t, c, o.Buckets+"-proof", key)
		ok(t, sound.Sequence(ctx))
		ids, notes := versions(t, c, o.Buckets+"-proof", key)
		if len(ids) != 1 || len(was) == 1 && was[0] != ids[0] || !bytes.Equal(notes[0], read(t, c, o.Buckets+"-ledger", "checkpoint")) {
			t.Fatalf("stopped after %d requests: %s has %d versions, or another one than is published", n, key, len(ids))
		}
		if stopped && len(was) == 1 {
			again++
		}
		if !stopped {
			break
		}
	}
	if again == 0 {
		t.Error("no sequencer stopped after it had locked a checkpoint")
	}
	t.Logf("%d sequencers stopped after they had locked a checkpoint", again)
}

// read reads an object as it is now.
func read(t *testing.T, c *s3.Client, bucket, key string) []byte {
	t.Helper()
	o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	ok(t, err)
	b, err := io.ReadAll(o.Body)
	ok(t, err)
	ok(t, o.Body.Close())
	return b
}
