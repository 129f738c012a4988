// Package offpolicy owns what logged choices say of a policy that did not make them.
//
// A policy gives each choice a probability; the log holds the probability with which the
// policy of then made it. For lists with positions (Saito, Aihara, Matsutani, Narita, arXiv
// 2008.07146) a row is one item at one position, and probabilities are those of the item
// at that position. Reward models are fitted elsewhere, on other rows than they are asked for.
package offpolicy
