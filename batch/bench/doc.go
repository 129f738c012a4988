// Package bench makes up a shop of any size from a seed, in the very format that
// hosts write snapshots in, and measures what a night over it costs. Some of its
// subjects agreed to what nights learn under; decisions record what they were shown
// and offered, and where that helps they order more.
//
// Everything about a subject and a day is drawn from the seed and their numbers
// alone, so that days can be written side by side and the same seed gives the
// same bytes.
package bench
