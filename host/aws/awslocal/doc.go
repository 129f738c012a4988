// Package awslocal is a ground to test on that stands in for an AWS account:
// DynamoDB Local, moto for KMS, Secrets Manager and whatever else is asked for, an
// S3 server and a Firehose of its own. tools/aws-ground installs the first two.
//
// In front of all of them stands one proxy. It knows who calls by the access key
// id, which is the name of a function, and what the call does to which resource,
// in IAM's words. So it can write down what a function uses, hold it to a role,
// count its tries, be slow, and fail by a seed.
//
// Nothing here is linked into what runs on AWS.
package awslocal
