package flow

// FeedAnswer says how many rows a feed stored.
type FeedAnswer struct {
	Stored int `json:"stored"`
}
