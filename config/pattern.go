package config

import (
	"regexp"
	"sync"
)

// pattern is a regular expression that is compiled when it is first asked: a function
// that starts with the default configuration asks for none.
type pattern func() *regexp.Regexp

func matching(expression string) pattern {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// MatchString reports whether s matches.
func (p pattern) MatchString(s string) bool { return p().MatchString(s) }
