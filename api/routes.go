package api

import (
	"net/http"
	"slices"

	"github.com/handschlag/handschlag/flow"
)

// Who may call.
var (
	anyone     = rights{open: true}
	devices    = rights{write: true, server: true}
	visitors   = rights{write: true, server: true, identity: true}
	shopServer = rights{server: true}
	persons    = rights{server: true, identity: true, roles: []string{flow.RoleDPO}}
	advisers   = rights{roles: []string{flow.RoleAdviser}}
	auditors   = rights{roles: []string{flow.RoleDPO, flow.RoleOps}}
	observers  = rights{roles: []string{flow.RoleMarketing, flow.RoleDPO, flow.RoleOps}}
	marketers  = rights{roles: []string{flow.RoleMarketing}}
	operators  = rights{roles: []string{flow.RoleOps}}
)

// Lists of statuses.
var (
	ok       = []int{http.StatusOK}
	created  = []int{http.StatusCreated}
	notThere = []int{http.StatusNotFound}
	movedOn  = []int{http.StatusNotFound, http.StatusConflict}
)

// routes lists what the groups serve; no group means all.
func routes(groups []Group) []route {
	all := slices.Concat(ingestRoutes(), visitorRoutes(), priceRoutes(), rightsRoutes(), staffRoutes(), opsRoutes())
	if len(groups) == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(rt route) bool {
		return rt.group != groupOps && !slices.Contains(groups, rt.group)
	})
}

// visitorRoutes are what a shop's pages call.
func visitorRoutes() []route {
	return []route{
		takes(route{id: "consent", method: "POST", path: "/v1/consent", group: GroupConsent, who: visitors, limit: limitCall, status: created,
			say: "Give, refuse or withdraw consent: the same call, the same effort", needs: []string{"method", "notice", "ui"}}, (*flow.Flow).Consent),
		takes(route{id: "consentState", method: "POST", path: "/v1/consent/state", group: GroupConsent, who: visitors, limit: limitCall, status: ok,
			say: "Where a device or an account stands, and its history"}, (*flow.Flow).ConsentState),
		proofRoute(),
		takes(route{id: "escalate", method: "POST", path: "/v1/escalate", group: GroupEscalate, who: visitors, limit: limitCall, status: ok,
			say: "Whether to offer help now: nothing, a hint, or a human"}, (*flow.Flow).Escalate),
		takes(route{id: "handover", method: "POST", path: "/v1/handover", group: GroupEscalate, who: visitors, limit: limitCall, status: created,
			faults: movedOn, say: "The visitor's one click on an offer; a second click gives the first contact", needs: []string{"token", "channel"}}, (*flow.Flow).Handover),
		takes(route{id: "variant", method: "POST", path: "/v1/variant", group: GroupVariant, who: visitors, limit: limitCall, status: ok,
			faults: notThere, say: "Which content to show in a slot", needs: []string{"slot"}}, (*flow.Flow).Variant),
	}
}

// proofRoute answers 202 until a checkpoint covers the record.
func proofRoute() route {
	rt := finds(route{id: "consentProof", method: "GET", path: "/v1/consent/{record_id}/proof", group: GroupConsent, who: visitors,
		status: []int{http.StatusOK, http.StatusAccepted}, faults: notThere,
		say: "A consent record's inclusion proof; 202 until a checkpoint covers it"}, "record_id", (*flow.Flow).ConsentProof)
	find := rt.call
	rt.call = func(a *api, q *asked) (int, any, error) {
		status, out, err := find(a, q)
		if p, ok := out.(flow.ProofAnswer); ok && p.Pending {
			status = http.StatusAccepted
		}
		return status, out, err
	}
	return rt
}

// rightsRoutes are what a person may ask for.
func rightsRoutes() []route {
	return []route{
		takes(route{id: "rights", method: "POST", path: "/v1/rights", group: GroupRights, who: persons, limit: limitCall, status: created,
			say: "Object, restrict or erase; binds the next decision", needs: []string{"request"}}, (*flow.Flow).Rights),
		finds(route{id: "rightsRequest", method: "GET", path: "/v1/rights/{request}", group: GroupRights, who: persons, status: ok,
			faults: notThere, say: "Where a request stands"}, "request", (*flow.Flow).RightsRequest),
	}
}

// staffRoutes are what advisers, the DPO, marketing and operations call.
func staffRoutes() []route {
	return []route{
		lists(route{id: "queue", method: "GET", path: "/v1/queue", group: GroupStaff, who: advisers, status: ok,
			say: "Waiting hand-overs, in the order to take them"}, (*flow.Flow).Queue),
		finds(route{id: "accept", method: "POST", path: "/v1/queue/{contact}/accept", group: GroupStaff, who: advisers, status: ok,
			faults: movedOn, say: "Take a waiting hand-over"}, "contact", (*flow.Flow).Accept),
		takes(route{id: "adviser", method: "PUT", path: "/v1/advisers/me", group: GroupStaff, who: advisers, limit: limitCall, status: ok,
			say: "The adviser's own availability, channels and capacity", needs: []string{"available"}}, (*flow.Flow).PutAdviser),
		finds(route{id: "card", method: "GET", path: "/v1/cards/{contact}", group: GroupStaff, who: advisers, status: ok,
			faults: movedOn, say: "What the adviser may see of a contact, and why the rest is hidden"}, "contact", (*flow.Flow).Card),
		names(route{id: "outcome", method: "POST", path: "/v1/cards/{contact}/outcome", group: GroupStaff, who: advisers, limit: limitCall, status: ok,
			faults: movedOn, say: "How a contact ended; closes it", needs: []string{"outcome"}}, "contact", (*flow.Flow).Outcome),
		names(route{id: "recording", method: "POST", path: "/v1/cards/{contact}/recording", group: GroupStaff, who: advisers, limit: limitCall, status: ok,
			faults: movedOn, say: "Agree to be recorded, start on everybody's prior yes, or stop; a stop orders deletion"}, "contact", (*flow.Flow).Record),
		names(route{id: "call", method: "POST", path: "/v1/cards/{contact}/call", group: GroupStaff, who: advisers, limit: limitCall, status: ok,
			faults: movedOn, say: "Whether to call now: as the visitor asked, or under consent to calls", needs: []string{"number", "topic"}}, "contact", (*flow.Flow).MayCall),
		finds(route{id: "decision", method: "GET", path: "/v1/decisions/{id}", group: GroupStaff, who: auditors, status: ok,
			faults: notThere, say: "One decision with its reasons in words"}, "id", (*flow.Flow).Decision),
		takes(route{id: "searchDecisions", method: "POST", path: "/v1/decisions/search", group: GroupStaff, who: auditors, limit: limitCall, status: ok,
			say: "Decisions by action, rule, subject or time, newest first"}, (*flow.Flow).SearchDecisions),
		asks(route{id: "stats", method: "GET", path: "/v1/stats", group: GroupStaff, who: observers, status: ok, query: []string{"from", "to"},
			faults: []int{http.StatusUnprocessableEntity}, say: "Live counts per variant and offer, with the sample-ratio alarm"}, stats),
		lists(route{id: "exports", method: "GET", path: "/v1/exports", group: GroupStaff, who: marketers, status: ok,
			say: "The nights' exports, newest first"}, (*flow.Flow).Exports),
		exportRoute(),
		takes(route{id: "ackExport", method: "POST", path: "/v1/exports/ack", group: GroupStaff, who: marketers, limit: limitCall, status: ok,
			faults: movedOn, say: "A recipient's word that the rows it was told to delete are gone (EXP-06)", needs: []string{"date", "channel"}}, (*flow.Flow).AckExport),
		names(route{id: "switch", method: "PUT", path: "/v1/switches/{name}", group: GroupStaff, who: auditors, limit: limitCall, status: ok,
			faults: notThere, say: "Turn a kill switch; it binds the next decision", needs: []string{"on", "reason"}}, "name", (*flow.Flow).PutSwitch),
	}
}
