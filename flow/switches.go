package flow

// SwitchCall turns a kill switch.
type SwitchCall struct {
	On     bool   `json:"on"`
	Reason string `json:"reason"`
}

// SwitchAnswer is the switch as it stands, and the decision that records it.
type SwitchAnswer struct {
	Switch
	DecisionID string `json:"decision_id"`
}
