// Package signin owns how a person's command finds credentials for an account: as
// the AWS command line does, from environment, profile, single sign-on or the
// machine's role. Functions do not link it; theirs are in the environment.
package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/handschlag/handschlag/host/aws"
)

// Account finds region and credentials. An empty region is that of the environment
// or the profile. The credentials are asked for at once, so that whoever is not
// signed in learns it before anything else.
func Account(ctx context.Context, region string) (aws.Account, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return aws.Account{}, fmt.Errorf("reading the AWS configuration: %s", oneLine(err))
	}
	if cfg.Region == "" {
		return aws.Account{}, errors.New("no AWS region: set AWS_REGION, or give it as a flag")
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return aws.Account{}, fmt.Errorf("not signed in to AWS (aws sso login, or AWS_PROFILE): %s", oneLine(err))
	}
	return aws.Account{Region: cfg.Region, Credentials: cfg.Credentials, Endpoints: aws.EndpointsFromEnvironment()}, nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }
