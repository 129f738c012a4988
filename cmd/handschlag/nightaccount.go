package main

import (
	"context"
	"errors"
)

func (c nightlyCmd) withAccount(ctx context.Context, s streams, n *night, do func() error) error {
	return errors.New("later")
}
