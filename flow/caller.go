package flow

import (
	"slices"

	"github.com/handschlag/handschlag/consent"
	"github.com/handschlag/handschlag/consent/signal"
)

// Caller is who calls, as its credentials prove it, and what its browser
// signals. The zero Caller holds a write key: it acts on devices only.
type Caller struct {
	Server    bool       // the server key
	Account   consent.ID // proven: from an identity token, or named with the server key
	GPC       []string   // Sec-GPC header values
	DNT       string     // DNT header
	UserAgent string     // coarsened at once, never kept
	Staff     *Staff     // nil: not staff
}

// The roles of staff.
const (
	RoleAdviser   = "adviser"
	RoleDPO       = "dpo"
	RoleMarketing = "marketing"
	RoleOps       = "ops"
)

// Staff is a member of staff, by role and name.
type Staff struct {
	Role string
	Name string
}

// actor names staff in decision records.
func (s Staff) actor() string { return s.Role + ":" + s.Name }

// staff gives the caller's staff identity if it has one of the roles.
func (c Caller) staff(roles ...string) (Staff, error) {
	if c.Staff == nil || !slices.Contains(roles, c.Staff.Role) {
		return Staff{}, forbidden("role_missing", "credential: needs one of the roles %v", roles)
	}
	return *c.Staff, nil
}

// server checks for the server key.
func (c Caller) server() error {
	if !c.Server {
		return forbidden("server_key_needed", "credential: needs the server key")
	}
	return nil
}

// gpc reports whether the request's headers carry the signal (SIG-01).
func (c Caller) gpc() bool { return signal.GPC(c.GPC) }

// dnt reports whether the request's headers carry Do Not Track (SIG-03).
func (c Caller) dnt() bool { return signal.DNT(c.DNT) }

// device reads an anonymousId; an absent one is the zero ID.
func device(value string) (consent.ID, error) {
	if value == "" {
		return consent.ID{}, nil
	}
	id, err := consent.NewID(consent.Device, value)
	if err != nil {
		return consent.ID{}, invalid("anonymousId", "%v", err)
	}
	return id, nil
}

// account gives the account that the caller may act for. A userId without its
// credential is a 403; one that differs from the identity token's is, too.
func (c Caller) account(userID string) (consent.ID, error) {
	if userID == "" {
		return c.Account, nil
	}
	id, err := consent.NewID(consent.Account, userID)
	if err != nil {
		return consent.ID{}, invalid("userId", "%v", err)
	}
	if !c.Server && id != c.Account {
		return consent.ID{}, forbidden("identity_needed", "userId: acting for an account needs its identity token or the server key")
	}
	return id, nil
}
