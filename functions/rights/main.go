// Command rights is the Lambda behind what a person may ask for under Art. 15 to 21 GDPR.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupRights, version) }
