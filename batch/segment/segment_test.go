package segment

import (
	"testing"
	"time"
)

func TestANightPublishes(t *testing.T) {
	s := newShop(t)
	s.everyday(120, 2)
	res := s.run(s.night(monday.AddDate(0, 0, 2)))
	t.Logf("%+v", res.Publication)
	t.Logf("%+v", res.Report)
	_ = time.Second
}
