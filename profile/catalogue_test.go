package profile

import "testing"

func TestTheVersionOfTheCatalogueFollowsItsMeaning(t *testing.T) {
	change := func(f func(*FeatureInfo)) string {
		all := Catalogue()
		f(&all[3])
		return versionOf(all)
	}
	for name, f := range map[string]func(*FeatureInfo){
		"name": func(f *FeatureInfo) { f.Name += "x" }, "unit": func(f *FeatureInfo) { f.Unit += "x" },
		"definition": func(f *FeatureInfo) { f.Definition += "x" }, "purposes": func(f *FeatureInfo) { f.Purposes = f.Purposes[1:] },
	} {
		if change(f) == CatalogueVersion() {
			t.Errorf("another %s has the same version", name)
		}
	}
	if v := change(func(f *FeatureInfo) { f.De, f.En, f.Tags = "x", "x", []string{"x"} }); v != CatalogueVersion() {
		t.Errorf("other words changed the version to %s", v)
	}
}
