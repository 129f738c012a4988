// Command price is the Lambda behind price and claim, and the feeds of products and price histories.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupPrice, version) }
