package segment

import (
	"fmt"
	"math"
	"reflect"
)

// rounded brings every float of the report to six decimals, so that its bytes do not
// hang on the last bits of an estimate, and refuses what is no number.
func (r *Report) rounded() error { return roundIn(reflect.ValueOf(r).Elem(), "report") }

func roundIn(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Float64:
		x := v.Float()
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("%s is %v, no number", path, x)
		}
		v.SetFloat(math.Round(x*1e6)/1e6 + 0) // + 0: no negative zero
	case reflect.Pointer:
		if !v.IsNil() {
			return roundIn(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			if err := roundIn(v.Index(i), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				if err := roundIn(v.Field(i), path+"."+f.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
