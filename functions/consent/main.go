// Command consent is the Lambda behind giving, refusing, withdrawing, and the proof of it.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
	"github.com/handschlag/handschlag/policy"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(version, api.GroupConsent, policy.EntryConsent) }
