// Command escalate is the Lambda behind the offer decision and the one click on it.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
	"github.com/handschlag/handschlag/policy"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(version, api.GroupEscalate, policy.EntryEscalate, policy.EntryHandover) }
