// Package signal reads what browsers and banners say about consent.
package signal
