package awslocal

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Use is a right that a call needs: an action of IAM on a resource.
type Use struct {
	Action   string `json:"action"`
	Resource string `json:"resource"`
}

// need is a right that a call needs, with what the call says that conditions ask for.
type need struct {
	Use
	says map[string][]string // by condition key
}

// call is a request as the proxy understands it.
type call struct {
	function, service, op string
	bucket, key           string // s3
	body                  []byte
	needs                 []need
}

var scope = regexp.MustCompile(`([^/= ]+)/\d{8}/[^/]+/([^/]+)/aws4_request`)

// read understands a request whose body is given. Presigned requests carry their
// credential in the query.
func (b *books) read(r *http.Request, body []byte) *call {
	c := &call{body: body}
	if m := scope.FindStringSubmatch(r.Header.Get("Authorization") + " " + r.URL.Query().Get("X-Amz-Credential")); m != nil {
		c.function, c.service = m[1], m[2]
	}
	_, c.op, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch c.service {
	case "dynamodb":
		c.needs = tableNeeds(c.op, body)
	case "s3":
		c.readObject(r)
	case "firehose":
		c.need("firehose:"+c.op, streamARN(fieldOf(body, "DeliveryStreamName")), nil)
	case "kms":
		c.need("kms:"+c.op, b.keyARN(body), wrappedFor(body))
	case "secretsmanager":
		c.need("secretsmanager:"+c.op, "arn:aws:secretsmanager:"+Region+":"+AccountID+":secret:"+fieldOf(body, "SecretId")+"-ground", nil)
	default:
		c.need(c.service+":"+c.op, "*", nil)
	}
	return c
}

func (c *call) need(action, resource string, says map[string][]string) {
	c.needs = append(c.needs, need{Use{action, resource}, says})
}

// wrappedFor is what a call of KMS says that a key is wrapped for.
func wrappedFor(body []byte) map[string][]string {
	var in struct{ EncryptionContext map[string]string }
	_ = json.Unmarshal(body, &in)
	says := map[string][]string{}
	for k, v := range in.EncryptionContext {
		says["kms:EncryptionContext:"+k] = []string{v}
	}
	return says
}

func fieldOf(body []byte, name string) string {
	var all map[string]any
	_ = json.Unmarshal(body, &all)
	s, _ := all[name].(string)
	return s
}

func streamARN(name string) string {
	return fmt.Sprintf("arn:aws:firehose:%s:%s:deliverystream/%s", Region, AccountID, name)
}

func tableARN(name, index string) string {
	arn := fmt.Sprintf("arn:aws:dynamodb:%s:%s:table/%s", Region, AccountID, name)
	if index != "" {
		arn += "/index/" + index
	}
	return arn
}

// readObject understands an S3 request in path style.
func (c *call) readObject(r *http.Request) {
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket, object := "arn:aws:s3:::"+c.bucket, "arn:aws:s3:::"+c.bucket+"/"+c.key
	q := r.URL.Query()
	add := func(op, action, resource string) {
		c.op = op
		c.need("s3:"+action, resource, nil)
	}
	switch {
	case c.key == "" && r.Method == http.MethodPost && q.Has("delete"):
		for _, m := range regexp.MustCompile(`<Key>([^<]*)</Key>`).FindAllSubmatch(c.body, -1) {
			add("DeleteObjects", "DeleteObject", bucket+"/"+string(m[1]))
		}
	case c.key == "" && r.Method == http.MethodGet && q.Has("versions"):
		add("ListObjectVersions", "ListBucketVersions", bucket)
	case c.key == "" && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		add("ListObjects", "ListBucket", bucket)
	case c.key == "":
		add(r.Method+"Bucket", "Bucket", bucket)
	case r.Method == http.MethodDelete && q.Has("uploadId"):
		add("AbortMultipartUpload", "AbortMultipartUpload", object)
	case r.Method == http.MethodDelete && q.Has("versionId"):
		add("DeleteObject", "DeleteObjectVersion", object)
	case r.Method == http.MethodDelete:
		add("DeleteObject", "DeleteObject", object)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		add("GetObject", "GetObject", object)
	default:
		c.readPut(r, object, add)
	}
}

// readPut: a lock and a condition on what is there are rights of their own.
func (c *call) readPut(r *http.Request, object string, add func(op, action, resource string)) {
	if r.Header.Get("X-Amz-Object-Lock-Mode") != "" {
		add("", "PutObjectRetention", object)
	}
	if r.Header.Get("If-Match") != "" {
		add("", "GetObject", object)
	}
	if from := r.Header.Get("X-Amz-Copy-Source"); from != "" {
		add("", "GetObject", "arn:aws:s3:::"+strings.TrimPrefix(from, "/"))
	}
	add("PutObject", "PutObject", object)
}

// keyARN names a KMS key by its alias, which is what the schema names. Decrypt may
// name no key; moto begins a ciphertext with the key's id.
func (b *books) keyARN(body []byte) string {
	name := fieldOf(body, "KeyId")
	if name == "" {
		if blob, err := base64.StdEncoding.DecodeString(fieldOf(body, "CiphertextBlob")); err == nil && len(blob) > 36 {
			name = string(blob[:36])
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if i := strings.LastIndex(name, "key/"); i >= 0 {
		name = name[i+4:]
	}
	if alias := b.keys[name]; alias != "" {
		name = alias
	}
	return KeyARN(name)
}

// KeyARN is how the ground names a KMS key that has an alias ("alias/NAME").
func KeyARN(alias string) string { return "arn:aws:kms:" + Region + ":" + AccountID + ":" + alias }
