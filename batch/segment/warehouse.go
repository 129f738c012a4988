package segment

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"
)

//go:embed sql/*.sql
var tables embed.FS

//go:embed check/*.sql
var checks embed.FS

// warehouse is one DuckDB in memory with one connection: temporary tables,
// variables and settings belong to a connection.
type warehouse struct {
	db    *sql.DB
	conn  *sql.Conn
	spill string                         // its folder, gone when the night ends
	made  func(table string, rows int64) // nil: nobody measures
}

// openWarehouse starts DuckDB with hard limits. Its own default is 80 % of the
// machine and an unlimited spill folder. Spill files hold subjects' data, so
// what a killed run left in the folder is removed first.
func openWarehouse(ctx context.Context, spill string, memoryMB, threads int) (*warehouse, error) {
	if err := os.RemoveAll(spill); err != nil {
		return nil, fmt.Errorf("clearing spill folder: %w", err)
	}
	if err := os.MkdirAll(spill, 0o700); err != nil {
		return nil, fmt.Errorf("making spill folder: %w", err)
	}
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return nil, fmt.Errorf("starting DuckDB: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("starting DuckDB: %w", err)
	}
	w := &warehouse{db: db, conn: conn, spill: spill}
	if err := w.limit(ctx, spill, memoryMB, threads); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *warehouse) limit(ctx context.Context, spill string, memoryMB, threads int) error {
	if memoryMB <= 0 {
		memoryMB = 1024
	}
	if threads <= 0 {
		threads = runtime.NumCPU()
	}
	return w.exec(ctx, fmt.Sprintf(`
		set memory_limit = '%dMB';
		set threads = %d;
		set temp_directory = %s;
		set max_temp_directory_size = '%dMB';
		set TimeZone = 'UTC';
		set preserve_insertion_order = false;
		set autoinstall_known_extensions = false;
		set autoload_known_extensions = false;`,
		memoryMB, threads, quote(spill), 20*memoryMB))
}

func (w *warehouse) close() {
	_ = w.conn.Close()
	_ = w.db.Close()
}

func (w *warehouse) exec(ctx context.Context, query string) error {
	_, err := w.conn.ExecContext(ctx, query)
	if duck := (*duckdb.Error)(nil); errors.As(err, &duck) && duck.Type == duckdb.ErrorTypeOutOfMemory {
		return fmt.Errorf("the night needs more memory than it was given: give it more by --memory-mb: %w", err)
	}
	return err
}

// table runs the file of sql/ that makes the named table.
func (w *warehouse) table(ctx context.Context, name string) error {
	query, err := tables.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return fmt.Errorf("finding table %s: %w", name, err)
	}
	if err := w.exec(ctx, string(query)); err != nil {
		return fmt.Errorf("making table %s: %w", name, err)
	}
	return w.tell(ctx, name)
}

// filed makes what table would as a file of the spill folder and a view of it: for wide
// tables of which every reader wants some columns.
func (w *warehouse) filed(ctx context.Context, name string) error {
	query, err := tables.ReadFile("sql/" + name + ".sql")
	if err != nil {
		return fmt.Errorf("finding table %s: %w", name, err)
	}
	_, body, found := strings.Cut(string(query), "create or replace table "+name+" as\n")
	if !found {
		return fmt.Errorf("making table %s: its SQL makes something else", name)
	}
	path := w.file(name)
	var rows int64
	err = w.one(ctx, fmt.Sprintf("copy (%s) to %s (format parquet, compression snappy, row_group_size 30720)", strings.TrimSuffix(strings.TrimSpace(body), ";"), quote(path)), &rows)
	if err == nil {
		err = w.show(ctx, name, "from read_parquet("+quote(path)+")")
	}
	if err != nil {
		return fmt.Errorf("making table %s: %w", name, err)
	}
	if w.made != nil {
		w.made(name, rows)
	}
	return nil
}

// file is where filed writes a table.
func (w *warehouse) file(name string) string { return filepath.Join(w.spill, name+".parquet") }

// show makes a query known by a name that a table may have had.
func (w *warehouse) show(ctx context.Context, name, query string) error {
	var tables int
	err := w.one(ctx, "select count(*) from duckdb_tables() where schema_name = current_schema() and table_name = "+quote(name), &tables)
	if err == nil && tables > 0 {
		err = w.exec(ctx, "drop table "+name)
	}
	if err != nil {
		return err
	}
	return w.exec(ctx, fmt.Sprintf("create or replace view %s as %s", name, query))
}

// tell says how many rows a new table has to whoever measures. Macros have none.
func (w *warehouse) tell(ctx context.Context, name string) error {
	if w.made == nil {
		return nil
	}
	var rows int64
	err := w.one(ctx, "select coalesce(sum(estimated_size), 0)::bigint from duckdb_tables() where schema_name = current_schema() and table_name = "+quote(name), &rows)
	if err != nil {
		return fmt.Errorf("counting table %s: %w", name, err)
	}
	w.made(name, rows)
	return nil
}

// set gives a variable that SQL files read with getvariable. The value is SQL.
func (w *warehouse) set(ctx context.Context, name, value string) error {
	if err := w.exec(ctx, "set variable "+name+" = "+value); err != nil {
		return fmt.Errorf("setting variable %s: %w", name, err)
	}
	return nil
}

// one reads a single row.
func (w *warehouse) one(ctx context.Context, query string, into ...any) error {
	return w.conn.QueryRowContext(ctx, query).Scan(into...)
}

// each calls f for every row of a query.
func (w *warehouse) each(ctx context.Context, query string, f func(scan func(...any) error) error) error {
	rows, err := w.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// fill appends rows to a table that exists.
func (w *warehouse) fill(table string, rows func(add func(...any) error) error) error {
	return w.fillAll([]string{table}, func(add []func(...any) error) error { return rows(add[0]) })
}

// fillAll appends rows to tables that exist, each by the function in its place. A failed
// flush drops every buffered row, so the error of Close counts as much as the others.
func (w *warehouse) fillAll(tables []string, rows func(add []func(...any) error) error) error {
	return w.conn.Raw(func(c any) (err error) {
		add := make([]func(...any) error, len(tables))
		for i, table := range tables {
			a, opened := duckdb.NewAppenderFromConn(c.(*duckdb.Conn), "", table)
			if opened != nil {
				return fmt.Errorf("filling table %s: %w", table, opened)
			}
			defer func() {
				if closing := a.Close(); closing != nil && err == nil {
					err = fmt.Errorf("filling table %s: %w", table, closing)
				}
			}()
			add[i] = appending(a, table)
		}
		return rows(add)
	})
}

// appending gives what appends a row.
func appending(a *duckdb.Appender, table string) func(...any) error {
	return func(values ...any) error {
		args := make([]duckdbValue, len(values))
		for i, v := range values {
			args[i] = v
		}
		if err := a.AppendRow(args...); err != nil {
			return fmt.Errorf("filling table %s: %w", table, err)
		}
		return nil
	}
}

// copyTo writes a query's rows, which must be ordered, to a file and makes it
// durable. The format is fixed so that equal rows give equal bytes; it does not look for
// repetition in columns of keys, where there is none.
func (w *warehouse) copyTo(ctx context.Context, query, path string) error {
	format := "format parquet, compression zstd, compression_level 1, dictionary_size_limit 1000, row_group_size 122880"
	if filepath.Ext(path) == ".csv" {
		format = "format csv, header true"
	}
	if err := w.exec(ctx, fmt.Sprintf("copy (%s) to %s (%s)", query, quote(path), format)); err != nil {
		return fmt.Errorf("writing %s: %w", filepath.Base(path), err)
	}
	return syncFile(path)
}

// quote writes a string as an SQL literal.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// list writes strings as an SQL list of literals.
func list(items []string) string { return "[" + literals(items) + "]::varchar[]" }

// literals writes strings as SQL literals.
func literals[S ~string](items []S) string {
	quoted := make([]string, len(items))
	for i, s := range items {
		quoted[i] = quote(string(s))
	}
	return strings.Join(quoted, ", ")
}
