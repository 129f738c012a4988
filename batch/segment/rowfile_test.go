package segment

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestCSVIsWhatDuckDBWrites of the same rows, with texts that repeat and that do not, in none,
// one and several row groups.
func TestCSVIsWhatDuckDBWrites(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	for _, rows := range []int{0, 1, 999, 130_000} {
		query := fmt.Sprintf(`select md5(i::varchar) as key, 'group_' || i %% 7 as segment, date '2026-11-02' + (i %% 3)::integer as as_of, 'removed' as change
			from range(%d) as t (i) order by i`, rows)
		for _, ext := range []string{".csv", ".parquet"} {
			if err := scribe.copyTo(ctx, query, filepath.Join(dir, "duckdb"+ext)); err != nil {
				t.Fatal(err)
			}
		}
		if err := asCSV(filepath.Join(dir, "duckdb.parquet"), filepath.Join(dir, "ours.csv"), []string{"key", "segment", "as_of", "change"}); err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join(dir, "duckdb.csv"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, "ours.csv"))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("of %d rows: %d bytes, DuckDB writes %d, %v", rows, len(got), len(want), err)
		}
	}
}
