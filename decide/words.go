package decide

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Said is a sentence in both languages.
type Said struct {
	De string `json:"de"`
	En string `json:"en"`
}

// template says what a kind of decision came to: the words of the result's field,
// by its value. The value "*" is any other, which stands for {}.
type template struct {
	field string
	words map[string]Said
}

// templates has one for every action: a kind of decision that cannot be said in
// words is not released (ADM-02).
var templates = map[string]template{
	ActionEscalate: {"offer", map[string]Said{
		"none":  {"Wir haben von uns aus nichts angeboten.", "We offered nothing of our own accord."},
		"hint":  {"Wir haben einen Hinweis gezeigt.", "We showed a hint."},
		"human": {"Wir haben ein Gespräch mit einem Menschen angeboten.", "We offered a conversation with a human."},
	}},
	ActionHandover: {"allowed", map[string]Said{
		"true":  {"Ihr Klick hat Sie mit der Beratung verbunden.", "Your click connected you with an adviser."},
		"false": {"Ihr Klick konnte Sie nicht mit der Beratung verbinden.", "Your click could not connect you with an adviser."},
		"*":     {"Die Beratung hat das Gespräch beendet.", "The adviser closed the conversation."},
	}},
	ActionVariant: {"variant", map[string]Said{
		"":  {"Die Seite blieb, wie sie ist.", "The page stayed as it is."},
		"*": {"Wir haben den Inhalt „{}“ gezeigt.", "We showed the content “{}”."},
	}},
	ActionPrice: {"price_allowed", map[string]Said{
		"true":  {"Der angefragte Preis durfte gezeigt werden.", "The price asked about could be shown."},
		"false": {"Der angefragte Preis wurde abgelehnt; es galt der Listenpreis.", "The price asked about was refused; the list price applied."},
	}},
	ActionCard: {"allowed", map[string]Said{
		"true":  {"Die Beratung hat die Karte zu Ihrem Gespräch gesehen.", "The adviser saw the card of your conversation."},
		"false": {"Die Karte zu Ihrem Gespräch blieb verschlossen.", "The card of your conversation stayed closed."},
	}},
	ActionExport: {"rows", map[string]Said{
		"*": {"Eine Gruppe wurde für einen Empfänger zusammengestellt.", "A group was put together for a recipient."},
	}},
	ActionRights: {"request", map[string]Said{
		"*": {"Ein Recht wurde ausgeübt, und wir haben es umgesetzt.", "A right was exercised, and we carried it out."},
	}},
	ActionSwitch: {"on", map[string]Said{
		"true":  {"Ein Mensch hat eine Funktion des Shops eingeschaltet.", "A person switched a function of the shop on."},
		"false": {"Ein Mensch hat eine Funktion des Shops abgeschaltet.", "A person switched a function of the shop off."},
	}},
	ActionMove: {"allowed", map[string]Said{
		"true":  {"Ein Mensch hat eine ungewöhnlich große Preisänderung freigegeben.", "A person approved an unusually large change of prices."},
		"false": {"Eine ungewöhnlich große Preisänderung wurde angehalten.", "An unusually large change of prices was held."},
		"*":     {"Eine Preisänderung ging über die Grenzen des Shops hinaus.", "A change of prices went beyond the shop's own limits."},
	}},
	ActionConduct: {"allowed", map[string]Said{
		"true":  {"Die Beratung durfte das: Aufzeichnung oder Anruf.", "The adviser was allowed to: a recording or a call."},
		"false": {"Die Beratung durfte das nicht: Aufzeichnung oder Anruf.", "The adviser was not allowed to: a recording or a call."},
	}},
}

// Rendered reports that there are words for a kind of decision (ADM-02).
func Rendered(action string) bool { return len(templates[action].words) > 0 }

// Say puts what a decision came to into words. An action without a template, or a
// result without words, is an error: nobody is told "the algorithm decided".
func (r Record) Say() (Said, error) {
	t, ok := templates[r.Action]
	if !ok {
		return Said{}, fmt.Errorf("putting a decision into words: there are none for %q", r.Action)
	}
	if r.Erased != "" {
		return Said{De: "Der Inhalt dieser Entscheidung wurde gelöscht.", En: "The content of this decision was erased."}, nil
	}
	var result map[string]any
	if err := json.Unmarshal(r.Result, &result); err != nil {
		return Said{}, fmt.Errorf("putting a decision into words: %w", err)
	}
	value := "*"
	if v, named := result[t.field]; named {
		value = fmt.Sprint(v)
	}
	said, ok := t.words[value]
	if !ok {
		if said, ok = t.words["*"]; !ok {
			return Said{}, fmt.Errorf("putting a decision into words: there are none for %s = %s", t.field, value)
		}
	}
	return Said{De: strings.ReplaceAll(said.De, "{}", value), En: strings.ReplaceAll(said.En, "{}", value)}, nil
}
