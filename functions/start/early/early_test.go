package early

import (
	"runtime/debug"
	"testing"
)

// A function that serves collects, within its memory.
func TestCollectKeepsWithinTheMemory(t *testing.T) {
	percent, limit := debug.SetGCPercent(100), debug.SetMemoryLimit(-1)
	defer debug.SetGCPercent(percent)
	defer debug.SetMemoryLimit(limit)
	debug.SetGCPercent(-1)
	t.Setenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
	Collect()
	if got := debug.SetMemoryLimit(-1); got != 256<<20*7/10 {
		t.Errorf("the limit is %d", got)
	}
	if got := debug.SetGCPercent(100); got != 300 {
		t.Errorf("it collects at %d %%", got)
	}
}

// What is no Lambda collects as ever: this test began so.
func TestWithoutALambdaNothingIsChanged(t *testing.T) {
	got := debug.SetGCPercent(100)
	debug.SetGCPercent(got)
	if got < 0 {
		t.Error("nothing is collected")
	}
}
