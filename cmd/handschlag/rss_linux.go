package main

// rssPerMB: Linux counts the resident set in KiB.
const rssPerMB = 1 << 10
