// Package early makes a start cheap. It imports next to nothing, so that Go runs
// it before the heap that packages fill as they are initialised is worth collecting.
package early

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// wholeCPU is from how many MB of memory on Lambda gives a function a whole CPU. With
// less, threads beside the first only take turns with it, and wake each other for that.
const wholeCPU = 1769

// usual is the collector's setting before.
var usual = 100

func init() {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		return // no Lambda: a test
	}
	usual = debug.SetGCPercent(-1) // a start is small, and over before collecting its garbage would pay
	if mb := memory(); mb > 0 && mb < wholeCPU && os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(1)
	}
}

func memory() int64 {
	mb, _ := strconv.ParseInt(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), 10, 64)
	return mb
}

// Collect lets the collector run from now on: rarely, since memory that was paid for
// may as well be used.
func Collect() {
	percent := usual
	if mb := memory(); mb > 0 {
		debug.SetMemoryLimit(mb << 20 * 7 / 10)
		percent = max(percent, 300)
	}
	debug.SetGCPercent(percent)
}
