package segment

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
)

// place is where the report has a number, or several that make one: an estimate with its
// interval, the cuts of a scale.
type place struct {
	name string // its path in report.json, with the names of list elements: value.tiers[3].persons
	path string // the same without them: value.tiers[].persons
	at   reflect.Value
}

// numbers lists the numbers of a report, also those that are not told.
func (r *Report) numbers() (out []place) {
	walk(reflect.ValueOf(r).Elem(), "", "", func(n place) { out = append(out, n) })
	return out
}

func walk(v reflect.Value, name, path string, visit func(place)) {
	switch v.Interface().(type) {
	case int, int64, float64, *int64, *float64, Figure, *Figure, []int64:
		visit(place{name, path, v})
		return
	case time.Time, *time.Time:
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), name, path, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			switch {
			case f.Anonymous:
				walk(v.Field(i), name, path, visit)
			case tag != "-":
				walk(v.Field(i), dotted(name, tag), dotted(path, tag), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), fmt.Sprintf("%s[%s]", name, cmp.Or(called(v.Index(i)), fmt.Sprint(i))), path+"[]", visit)
		}
	case reflect.Map:
		walkMap(v, name, path, visit)
	}
}

// walkMap visits copies: what a map holds is not told otherwise than it is.
func walkMap(v reflect.Value, name, path string, visit func(place)) {
	for _, key := range v.MapKeys() {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		walk(value, fmt.Sprintf("%s[%s]", name, round.Replace(key.String())), path+"[]", visit)
	}
}

func dotted(path, tag string) string { return strings.TrimPrefix(path+"."+tag, ".") }

// called is what names an element of a list: its first field, if that is a text or counts.
func called(v reflect.Value) string {
	for v.Kind() == reflect.Struct && v.NumField() > 0 {
		v = v.Field(0)
	}
	switch v.Kind() {
	case reflect.String, reflect.Int, reflect.Int64:
		return round.Replace(fmt.Sprint(v.Interface()))
	}
	return ""
}

// round keeps what a shop calls its products apart from the brackets of names.
var round = strings.NewReplacer("[", "(", "]", ")")

// pathOf is the path of a name.
func pathOf(name string) string { return elements.ReplaceAllString(name, "[]") }

var elements = regexp.MustCompile(`\[[^\]]*\]`)

// among is the name of another number of the same list elements.
func (n place) among(path string) string {
	for _, key := range elements.FindAllString(n.name, -1) {
		path = strings.Replace(path, "[]", key, 1)
	}
	return path
}

// value gives the number, or numbers; nil: it is not told.
func (n place) value() []float64 {
	switch x := n.at.Interface().(type) {
	case int:
		return []float64{float64(x)}
	case int64:
		return []float64{float64(x)}
	case float64:
		return []float64{x}
	case Figure:
		return []float64{x.Mean, x.Low, x.High}
	case []int64:
		return floats(x)
	}
	if n.at.IsNil() {
		return nil
	}
	return place{at: n.at.Elem()}.value()
}

func floats(whole []int64) (out []float64) {
	for _, x := range whole {
		out = append(out, float64(x))
	}
	return out
}

// set writes what value gives; what cannot be null becomes zero, or an empty list.
func (n place) set(to []float64) {
	n.at.SetZero()
	if n.at.Kind() == reflect.Slice {
		n.at.Set(reflect.MakeSlice(n.at.Type(), 0, len(to)))
	}
	if len(to) == 0 {
		return
	}
	switch n.at.Interface().(type) {
	case int, int64:
		n.at.SetInt(int64(to[0]))
	case float64:
		n.at.SetFloat(to[0])
	case Figure:
		n.at.Set(reflect.ValueOf(Figure{to[0], to[1], to[2]}))
	case []int64:
		for _, x := range to {
			n.at.Set(reflect.Append(n.at, reflect.ValueOf(int64(x))))
		}
	default:
		n.at.Set(reflect.New(n.at.Type().Elem()))
		place{at: n.at.Elem()}.set(to)
	}
}
