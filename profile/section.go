package profile

// Section is what one purpose remembers about a subject.
type Section struct{}
