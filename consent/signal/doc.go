// Package signal reads what browsers and consent banners say: TC and GPP
// strings, Sec-GPC, DNT, and the consent objects of Segment and RudderStack.
//
// Signals can only refuse (design decision 1): a "yes" here means that the signal
// does not contradict one. What cannot be read is broken, and broken is a no.
//
// Outwards it derives Google Consent Mode from what stands in the book.
package signal
