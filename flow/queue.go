package flow

import "time"

// QueueAnswer lists the waiting hand-overs: higher priority first, then first come.
type QueueAnswer struct {
	Contacts []Waiter `json:"contacts"`
}

// Waiter is a waiting hand-over as the queue shows it: no person, no question.
type Waiter struct {
	ContactID string    `json:"contact_id"`
	Channel   string    `json:"channel"`
	Priority  int       `json:"priority"`
	Page      PageRef   `json:"page"`
	OpenedAt  time.Time `json:"opened_at"`
	WaitingS  int64     `json:"waiting_seconds"`
}

// AcceptAnswer says that a contact is the adviser's now.
type AcceptAnswer struct {
	ContactID  string    `json:"contact_id"`
	Channel    string    `json:"channel"`
	Adviser    string    `json:"adviser"`
	AcceptedAt time.Time `json:"accepted_at"`
	JoinURL    string    `json:"join_url"`
}

// AdviserCall is an adviser's own word on availability.
type AdviserCall struct {
	Available bool     `json:"available"`
	Channels  []string `json:"channels,omitempty"`
	Capacity  int      `json:"capacity,omitempty"`
}

// OutcomeCall says how a contact ended.
type OutcomeCall struct {
	Outcome string `json:"outcome"` // helped | not_needed | sold | follow_up
}

// OutcomeAnswer says that a contact is closed.
type OutcomeAnswer struct {
	ContactID string    `json:"contact_id"`
	Outcome   string    `json:"outcome"`
	ClosedAt  time.Time `json:"closed_at"`
}
