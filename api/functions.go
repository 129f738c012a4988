package api

import "slices"

// Function is one Lambda: a group of routes with its own right to read and write.
// What runs it (infra/terraform, infra/sam) is compared with this table.
type Function struct {
	Name    string // of its folder in functions/, and of its group
	Memory  int    // MB; on Lambda it buys CPU, too
	Seconds int    // time-out
	Routes  []string
}

// sized are the functions in the order of design.md. Consent also grows the
// ledger, once a minute; the probes and the document are served by staff.
var sized = []Function{
	{Name: string(GroupIngest), Memory: 1024, Seconds: 10},
	{Name: string(GroupConsent), Memory: 1024, Seconds: 60},
	{Name: string(GroupEscalate), Memory: 1024, Seconds: 10},
	{Name: string(GroupVariant), Memory: 1024, Seconds: 10},
	{Name: string(GroupPrice), Memory: 1024, Seconds: 30},
	{Name: string(GroupStaff), Memory: 512, Seconds: 30},
	{Name: string(GroupRights), Memory: 512, Seconds: 30},
}

// Preflight is the route of browsers' questions whether a page may call (CORS),
// whatever the path: every function answers them alike, and ingest is asked.
const Preflight = "OPTIONS /{proxy+}"

// Functions lists every Lambda with the routes that lead to it, as METHOD PATH;
// a name in braces is one part of a path. Each route leads to one function.
func Functions() []Function {
	out := slices.Clone(sized)
	for i := range out {
		if out[i].Name == string(GroupIngest) {
			out[i].Routes = append(out[i].Routes, Preflight)
		}
		for _, rt := range routes(nil) {
			if rt.function() != out[i].Name {
				continue
			}
			for _, path := range append([]string{rt.path}, rt.also...) {
				out[i].Routes = append(out[i].Routes, rt.method+" "+path)
			}
		}
	}
	return out
}

// function names the Lambda that a route leads to.
func (rt route) function() string {
	if rt.group == groupOps {
		return string(GroupStaff)
	}
	return string(rt.group)
}
