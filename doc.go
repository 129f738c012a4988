// Package handschlag is the root of the module. It holds no code: the rooms
// below it do, and rooms_test.go keeps their arrows one way. Start at README.md.
package handschlag
