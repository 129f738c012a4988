package segment

import (
	"strings"
	"testing"
)

// What DuckDB cannot spill ends a night: the error says what to do about it.
func TestTooLittleMemoryIsNamedWithItsMend(t *testing.T) {
	w, err := openWarehouse(t.Context(), t.TempDir(), 24, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	err = w.exec(t.Context(), "create table wide as select i % 500000 as k, list(md5(i::varchar)) as l from range(3000000) as t (i) group by k")
	if err == nil || !strings.Contains(err.Error(), "--memory-mb") {
		t.Errorf("want the flag named: %v", err)
	}
}
