package eval

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBothShapesOfAPurchaseLogSayTheSame: CDNOW's own columns and a CSV.
func TestBothShapesOfAPurchaseLogSayTheSame(t *testing.T) {
	spaces := " customer_id  date number_of_cds  dollar_value\r\n 00001 19970101  1   11.77\r\n 00002 19970112  1   12.00\r\n 00002 19970112  5   77.00\r\n 00002 19970114  1 1\r\n"
	commas := "amount,date,shop,customer_id\n11.77,1997-01-01,a,00001\n12,19970112,a,00002\n77,1997-01-12,a,00002\n1,1997-01-14,a,00002\n"
	var points [2][]float64
	for i, text := range []string{spaces, commas} {
		log, err := readPurchases("x", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		p, end := rfm(log, time.Time{})
		if points[i] = p.Values; end.Format(time.DateOnly) != "1997-01-15" {
			t.Errorf("the log ends before %s", end)
		}
	}
	if want := []float64{14, 1, 11.77, 1, 2, 90}; !slices.Equal(points[0], want) || !slices.Equal(points[1], want) {
		t.Errorf("days since, days with a purchase, money: %v and %v, want %v", points[0], points[1], want)
	}
}

func TestABrokenPurchaseLogIsNamedByLineAndColumn(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no date":           {"id date n usd\na 19970101 1 2\na 1997/01/01 1 2\n", `line 3, column 2: "1997/01/01" is no date`},
		"no amount":         {"customer_id,date,amount\na,19970101,x\n", `line 2, column 3: "x" is no amount`},
		"less than nothing": {"customer_id,date,amount\na,19970101,-1\n", `line 2, column 3: "-1" is no amount`},
		"a missing column":  {"customer,date,amount\na,19970101,1\n", `there is no column "customer_id"; there are customer, date, amount`},
		"too few fields":    {"id date n usd\na 19970101\n", "line 2, column 1: 2 fields"},
		"too many fields":   {"customer_id,date,amount\na,19970101,1,2\n", "wrong number of fields"},
		"nothing":           {"", "has no purchase"},
	} {
		_, err := Kmeans(context.Background(), Options{}, KmeansFile{Path: file(t, "log", c.text), Ks: []int{1}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestOneGroupHasTheWholeInertia: in standard units, that is the number of customers
// times the number of columns in which they differ.
func TestOneGroupHasTheWholeInertia(t *testing.T) {
	path := file(t, "log.csv", "customer_id,date,amount\na,19970101,1\na,19970105,1\nb,19970103,9\nc,19970109,4\nc,19970109,4\n")
	rows, err := Kmeans(context.Background(), Options{}, KmeansFile{Path: path, Ks: []int{1}})
	if err != nil || len(rows) != 1 || rows[0].Ours != "9" || rows[0].Verdict != Shown {
		t.Fatalf("%+v %v", rows, err)
	}
	if _, err := Kmeans(context.Background(), Options{}, KmeansFile{Path: path, Ks: []int{4}}); err == nil {
		t.Error("three customers made four groups")
	}
}

func TestPurchasesAfterTheEndDoNotCount(t *testing.T) {
	before := "customer_id,date,amount\na,19970101,1\na,19970105,1\nb,19970103,9\nc,19970109,4\n"
	end, rows := time.Date(1997, 1, 10, 0, 0, 0, 0, time.UTC), [2][]Row{}
	for i, text := range []string{before, before + "b,19970110,70\nd,19970111,3\n"} {
		var err error
		if rows[i], err = Kmeans(context.Background(), Options{}, KmeansFile{Path: file(t, "log.csv", text), Ks: []int{1, 2}, End: end}); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(rows[0], rows[1]) {
		t.Errorf("later purchases changed the groups:\n%v\n%v", rows[0], rows[1])
	}
	in := KmeansFile{Path: file(t, "log.csv", before), Ks: []int{1}, End: end.AddDate(-1, 0, 0)}
	if _, err := Kmeans(context.Background(), Options{}, in); err == nil || !strings.Contains(err.Error(), "has no purchase up to 1996-01-09; the first is of 1997-01-01") {
		t.Errorf("got %v", err)
	}
}

func TestCDNOWIsAbsentWhereItIsNot(t *testing.T) {
	rows, err := Kmeans(context.Background(), Options{Data: t.TempDir()}, KmeansFile{})
	if err != nil || len(rows) != 1 || rows[0].Verdict != NotPresent {
		t.Errorf("%+v %v", rows, err)
	}
}

// TestTheMarkupsTableComesWithTheProgram: its 18 shares, without any data folder.
func TestTheMarkupsTableComesWithTheProgram(t *testing.T) {
	rows, err := Fairness(context.Background(), Options{Data: t.TempDir()}, FairnessFile{})
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, r := range rows {
		if r.Verdict == Pass && r.Published == r.Ours {
			passed++
		}
	}
	if passed != 18 || len(rows) != 18 {
		t.Errorf("%d of %d rows pass, want 18 of 18", passed, len(rows))
	}
}

// TestAFigureThatWasAlteredIsMissed: the data folder comes before the program's copy.
func TestAFigureThatWasAlteredIsMissed(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "..", "fairness", "testdata", markupTable))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "markup-isp-prices"), 0o700); err != nil {
		t.Fatal(err)
	}
	altered := strings.Replace(string(table), "0.4381", "0.4382", 1)
	if err := os.WriteFile(filepath.Join(dir, markup+markupTable), []byte(altered), 0o600); err != nil {
		t.Fatal(err)
	}
	rows, err := Fairness(context.Background(), Options{Data: dir}, FairnessFile{})
	if err != nil {
		t.Fatal(err)
	}
	missed := slices.DeleteFunc(rows, func(r Row) bool { return r.Verdict == Pass })
	if len(missed) != 1 || missed[0].Published != "0.4382" {
		t.Errorf("%+v", missed)
	}
}
