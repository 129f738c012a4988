package signal

import "github.com/handschlag/handschlag/consent"

// Stamp is what an event's consent object says: yes, no, or nothing about a
// purpose that is not in it. A nil Stamp is no consent object.
type Stamp map[consent.Purpose]bool

// Segment reads categoryPreferences. Keys are categories or purpose keys; others
// have no effect. Only a JSON true is a yes, and a purpose needs a yes from every
// key that speaks of it. An empty object is no consent object (SIG-10).
func Segment(prefs map[string]any, categories map[string][]consent.Purpose) Stamp {
	if len(prefs) == 0 {
		return nil
	}
	s := Stamp{}
	for key, value := range prefs {
		yes, _ := value.(bool)
		s.say(key, yes, categories)
	}
	return s
}

// Rudder reads RudderStack's consentManagement: the same, from two lists of ids.
func Rudder(allowed, denied []string, categories map[string][]consent.Purpose) Stamp {
	if len(allowed) == 0 && len(denied) == 0 {
		return nil
	}
	s := Stamp{}
	for _, id := range allowed {
		s.say(id, true, categories)
	}
	for _, id := range denied {
		s.say(id, false, categories)
	}
	return s
}

// Unknown reports a key that is neither a category of ours nor a purpose: it has
// no effect, and whoever runs the banner wants to know (SIG-10).
func Unknown(prefs map[string]any, categories map[string][]consent.Purpose) bool {
	for key := range prefs {
		if _, ours := categories[key]; !ours && !consent.Purpose(key).Known() {
			return true
		}
	}
	return false
}

// say adds one key's word. A no stays, whatever comes after.
func (s Stamp) say(key string, yes bool, categories map[string][]consent.Purpose) {
	about := categories[key]
	if p := consent.Purpose(key); p.Known() {
		about = append(about[:len(about):len(about)], p)
	}
	for _, p := range about {
		if before, spoke := s[p]; !spoke || before {
			s[p] = yes
		}
	}
}
