// Command price is the Lambda behind price and claim, and the feeds of products and price histories.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
	"github.com/handschlag/handschlag/policy"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(version, api.GroupPrice, policy.EntryPricing) }
