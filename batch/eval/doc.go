// Package eval judges the night's models on real data with published results, or
// on other files of the same shape.
//
// It owns reading those files, their splits, and the table that `handschlag eval`
// prints. Fitting is batch/learn's, which does no I/O: a fit is handed its training
// rows and cannot reach the others. Rows that a model is judged by are a Holdout,
// and every look at one is told to Options.Opened.
package eval
