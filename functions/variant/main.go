// Command variant is the Lambda behind the choice of content.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupVariant, version) }
