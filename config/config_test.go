package config_test

import (
	"reflect"
	"testing"

	"github.com/handschlag/handschlag/config"
)

func TestTheDefaultFileIsTheDefault(t *testing.T) {
	c, err := config.Parse(config.DefaultYAML())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, config.Default()) {
		t.Errorf("got %+v", c)
	}
}
