// Command staff is the Lambda behind the routes of advisers, the DPO, marketing and operations.
package main

import (
	"github.com/handschlag/handschlag/api"
	"github.com/handschlag/handschlag/functions/start"
	"github.com/handschlag/handschlag/policy"
)

// staffEntries are all whose decisions staff may read: the reasons in words are
// in the rules.
var staffEntries = []policy.Entry{
	policy.EntryCard, policy.EntryEscalate, policy.EntryHandover, policy.EntryPricing, policy.EntryPersonalise, policy.EntryExport,
}

// version is set by the linker.
var version = "unversioned"

func main() { start.Group(version, api.GroupStaff, staffEntries...) }
