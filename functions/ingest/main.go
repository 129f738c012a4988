// Command ingest is the Lambda behind the Segment-compatible routes: batch, track, page and their kin.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupIngest, version) }
