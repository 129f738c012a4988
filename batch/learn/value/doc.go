// Package value estimates what a buyer will order in the coming days, whether they
// are still a customer, and what that is worth.
//
// It owns the BG/NBD model of orders (Fader, Hardie, Lee: "Counting Your Customers"
// the Easy Way, Marketing Science 24(2), 2005; equations are theirs) and the
// Gamma-Gamma model of spend (Fader, Hardie: The Gamma-Gamma Model of Monetary
// Value, note 025, 2013), and Slowing, which is BG/NBD without leaving for good. It leaves to others who may be counted, and what is done
// with the result.
//
// A buyer is a history: repeat orders, days from the first order to the last, days
// from the first order to as of. Orders are order days: two orders of a buyer on
// one day are one. Whole days keep histories countable, so that millions of buyers
// are some thousand histories with a weight. Histories are in days; the parameters
// are in weeks, as published; money is in cents.
package value
