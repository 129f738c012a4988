package segment

import (
	"fmt"
	"slices"
	"strings"

	"github.com/handschlag/handschlag/config"
	"github.com/handschlag/handschlag/consent"
)

// Tags that no segment may follow: package standing's words for what stands for
// origin, faith or place (SPC-04), and for a weakness or a feeling (SPC-07).
var (
	proxies = []string{
		"proxy", "surname", "forename", "firstname", "lastname", "origin", "ethnic", "ethnicity", "nationality", "postcode", "plz",
		"zip", "diet", "voice", "accent",
	}
	weaknesses = []string{
		"vulnerability", "vulnerable", "distress", "debt", "addiction", "grief", "disability", "frailty", "emotion", "emotional", "stress",
		"frustration", "rage", "anger", "mood", "sentiment", "biometric", "biometrics", "face", "facial", "mimic", "gaze", "gesture",
		"heartbeat", "tremor",
	}
)

// sensitive says why a segment may not follow a column, whatever it is used for; "" if
// it may.
func (n *night) sensitive(s config.Segment, c Column) string {
	base, _ := config.Windowed(c.Name)
	tags := n.in.Config.TagsOf([]string{c.Name, base})
	if i := slices.IndexFunc(tags, func(t string) bool { return slices.Contains(proxies, t) }); i >= 0 {
		return fmt.Sprintf("%s is tagged %s (feature_tags): what stands for origin, faith or place steers nothing (SPC-04); take it out", c.Name, tags[i])
	}
	if i := slices.IndexFunc(tags, func(t string) bool { return slices.Contains(weaknesses, t) }); i >= 0 {
		return fmt.Sprintf("%s is tagged %s (feature_tags): no weakness is used (SPC-07); take it out", c.Name, tags[i])
	}
	if c.Family == "special" && s.Special == "" {
		return fmt.Sprintf("%s tells of special categories (SPC-01): say which with special: health, for instance, or take it out", c.Name)
	}
	for _, t := range tags {
		if slices.Contains(consent.SpecialCategories, t) && s.Special != t {
			return fmt.Sprintf("%s is tagged %s (feature_tags), which is a special category (SPC-01): write special: %s, or take it out", c.Name, t, t)
		}
	}
	return ""
}

// forbidden says for which of the purposes that the segment leaves for the column may
// not be used; "" if for none.
func (n *night) forbidden(s config.Segment, c Column) string {
	var stopped, fine []string
	for _, ch := range n.in.Config.Exports.Channels {
		switch {
		case !s.Leaves(ch.Purpose):
		case slices.Contains(c.Purposes(), ch.Purpose):
			fine = append(fine, string(ch.Purpose))
		default:
			stopped = append(stopped, fmt.Sprintf("%s (channel %s)", ch.Purpose, ch.Name))
		}
	}
	if len(stopped) == 0 {
		return ""
	}
	if len(fine) == 0 {
		fine = []string{string(basis)}
	}
	slices.Sort(fine)
	return fmt.Sprintf("%s may not be used for %s; write purposes: [%s], or take it out", c.Name, strings.Join(stopped, ", "), strings.Join(slices.Compact(fine), ", "))
}
