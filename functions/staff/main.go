// Command staff is the Lambda behind the routes of advisers, the DPO, marketing and operations.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupStaff, version) }
