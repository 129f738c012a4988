// Package cluster finds groups of rows that lie near each other: k-means with the
// seeding of k-means++. Its answer depends on the set of rows and the seed alone,
// not on their order, nor on how many goroutines work. What a row is, and what a
// group is called, it leaves to others.
package cluster
