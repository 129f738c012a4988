// Command cmd starts the ground and stays until it is interrupted. It prints the
// environment that reaches it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/handschlag/handschlag/host/aws/awslocal"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen at")
	prefix := flag.String("prefix", "handschlag-dev", "prefix of tables, streams and keys; buckets add the account")
	function := flag.String("function", "dev", "access key id: who is calling")
	flag.Parse()
	if err := stay(*listen, *prefix, *function); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func stay(listen, prefix, function string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	g, err := awslocal.Open(listen)
	if err != nil {
		return err
	}
	buckets := prefix + "-" + awslocal.AccountID
	if err := g.Make(ctx, prefix, buckets); err != nil {
		return err
	}
	for _, e := range append(g.Environment(function), "HANDSCHLAG_AWS="+prefix, "HANDSCHLAG_AWS_BUCKETS="+buckets) {
		fmt.Println("export " + e)
	}
	<-ctx.Done()
	return g.Close()
}
