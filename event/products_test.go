package event

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const productHeader = "product_id,category,product_class,price_cents,stock,locales,tags\n"

func TestReadProducts(t *testing.T) {
	want := []Product{
		{ID: "B12", Category: "Shoes, blue", Class: "standard", PriceCents: 9995, Stock: 5, Locales: []string{"de", "de-AT"}},
		{ID: "T1", Category: "Tests", Class: "simple", PriceCents: 599, Tags: []string{"pregnancy", "health"}},
	}
	csv := "\ufeff" + productHeader + "B12,\"Shoes, blue\",standard,9995,5,de|de-AT,\nT1,Tests,simple,599,0,,pregnancy | health\n"
	ndjson := `{"product_id":"B12","category":"Shoes, blue","product_class":"standard","price_cents":9995,"stock":5,"locales":["de","de-AT"]}` + "\n\n" +
		`{"product_id":"T1","category":"Tests","product_class":"simple","price_cents":599,"stock":0,"tags":"pregnancy|health"}`
	for format, text := range map[string]string{"csv": csv, "ndjson": ndjson} {
		got, err := ReadProducts(strings.NewReader(text), format)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", format, got, err)
		}
	}
	if _, err := ReadProducts(strings.NewReader(csv), "xlsx"); err == nil {
		t.Error("xlsx is read")
	}
}

func TestReadProductsNamesEveryBadLine(t *testing.T) {
	csv := productHeader +
		"B1,Shoes,standard,1,1,,\n" +
		"B1,Shoes,standard,1,1,,\n" + // 3: twice
		",,luxury,1,1,,\n" + // 4
		"B2,Shoes,standard,1.50,-1,,\n" + // 5
		"B3,Shoes\n" + // 6
		"B4,Shoes,standard,1,1,deutsch,\n" + // 7
		"B5,Shoes,standard,1,1,,secret\n" + // 8
		"B6,\"Sho\"es,standard,1,1,,\n" + // 9
		"B7,Shoes,standard,1,1,,\n"
	ndjson := `{"product_id":"B1","category":"Shoes","product_class":"simple","price_cents":1,"stock":1}` + "\n" +
		`{"product_id":"B1","category":"Shoes","product_class":"simple","price_cents":1,"stock":1}` + "\n" +
		`{"product_id":"B2","product_id":"B3"}` + "\n" + `{"product_id":5}` + "\n" + `nonsense` + "\n" +
		`{"product_id":"B4","colour":"red"}` + "\n" + `{"product_id":"B5","category":"Shoes","product_class":"simple","price_cents":1.5,"stock":1}` + "\n" +
		`{"product_id":"B6","category":"Shoes","product_class":"simple","price_cents":1,"stock":1,"tags":["secret"]}` + "\n"
	for _, c := range []struct {
		format, text string
		want         []int
	}{
		{"csv", csv, []int{3, 4, 5, 6, 7, 8, 9}},
		{"csv", "id,price\nB1,1\n", []int{1}},
		{"ndjson", ndjson, []int{2, 3, 4, 5, 6, 7, 8}},
	} {
		_, err := ReadProducts(strings.NewReader(c.text), c.format)
		var bad BadLines
		if !errors.As(err, &bad) {
			t.Fatal(err)
		}
		var lines []int
		for _, l := range bad {
			lines = append(lines, l.Line)
		}
		if lines = slices.Compact(lines); !slices.Equal(lines, c.want) {
			t.Errorf("%s: bad lines %v, want %v\n%v", c.format, lines, c.want, err)
		}
	}
}

func TestALongErrorIsCutShort(t *testing.T) {
	text := productHeader + strings.Repeat("x\n", 5000)
	_, err := ReadProducts(strings.NewReader(text), "csv")
	if err == nil || len(err.Error()) > 10_000 || !strings.Contains(err.Error(), "and 4900 more lines") {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
}

func TestACatalogueAnswers(t *testing.T) {
	if p, ok := market.Product("T1"); !ok || p.Category != "Pregnancy tests" || !slices.Equal(p.Tags, []string{"pregnancy"}) {
		t.Errorf("T1 is %+v", p)
	}
	if p, _ := market.Product("T2"); !slices.Equal(p.Tags, []string{"religion"}) {
		t.Errorf("a product bears its category's tags: %+v", p)
	}
	if p, _ := market.Product("T4"); len(p.Tags) != 0 {
		t.Errorf("but not its neighbour's: %+v", p)
	}
	if _, ok := market.Product("t1"); ok || !market.Article(" t1 ") || market.Article("shoes") || market.Article("") {
		t.Error("an article is a product id, whatever its case")
	}
	if name, ok := market.Category(" blue SHOES "); !ok || name != "Blue shoes" {
		t.Errorf("the category is %q", name)
	}
	if _, ok := market.Category(""); ok {
		t.Error("nothing is a category")
	}
	if got := market.Words("Anna wants BLUE shoes, b13 and tests for Pregnancy"); !slices.Equal(got, []string{"blue", "shoes", "b13", "tests", "pregnancy"}) {
		t.Errorf("words %v", got)
	}
	if got := market.Tags("unheard-of"); got != nil {
		t.Errorf("tags %v", got)
	}
	empty := NewCatalogue(nil, nil)
	if _, ok := empty.Product("x"); ok || empty.Article("x") || empty.Words("x y") != nil || empty.TextTags("x") != nil {
		t.Error("an empty catalogue knows something")
	}
}
