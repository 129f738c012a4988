// Command consent is the Lambda behind giving, refusing and withdrawing, and the proof of it.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
)

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(api.GroupConsent, version) }
