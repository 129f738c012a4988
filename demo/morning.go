package demo

import "context"

// MorningAfter asks for content once more, after the night has published: the
// choice now rests on the night's weights.
func (w *World) MorningAfter(ctx context.Context, s *Shop) error {
	for _, v := range w.Visitors[:min(25, len(w.Visitors))] {
		call := object{"anonymousId": v.ID, "slot": "home_hero", "locale": "de"}
		if err := s.want(ctx, 200, "POST", "/v1/variant", "write", call, nil); err != nil {
			return err
		}
	}
	return nil
}
