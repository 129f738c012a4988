# METADATA
# scope: package
# title: Card
# description: |
#   What an adviser sees of a contact. The visitor's own question is always there;
#   earlier orders, basket, searches and products only with consent. A hidden block
#   comes with its reasons, never as an empty gap.
# schemas:
#   - input: schema.card
package card

import data.standing

# METADATA
# title: Verdict on a card
# entrypoint: true
verdict := {"allowed": allowed, "shown": shown, "hidden": hidden, "rules": rules}

# METADATA
# title: Allowed
default allowed := false

allowed if {
	input.role == "adviser"
	input.open == true
	input.assigned == true
	is_boolean(input.special)
	count(deny) == 0
}

# METADATA
# title: Blocks shown
# description: The question, and each block whose consent is in force.
shown contains "question" if {
	allowed
	input.blocks.question
}

shown contains block if {
	allowed
	some block in _blocks
	input.blocks[block].status in standing.in_force
	not hidden[block]
}

_blocks := {"orders", "cart", "searches", "products"}

_fields := _blocks | {
	"question", "contact_id", "decision_id", "channel", "page", "speaker", "opened_at", "reasons", "compared", "variants",
}

rules := deny | {id |
	some hits in hidden
	some id in hits
}

# METADATA
# title: What the adviser sees
# description: Only the adviser who took the contact sees the card, and only until it is closed.
# custom:
#   id: ESC-04
#   de: Die Beratung sieht nur, was für Ihre Frage nötig und von Ihnen freigegeben ist, und nur bis das Gespräch endet.
#   en: The adviser sees only what your question needs and you have released, and only until the conversation ends.
#   legal_basis: Art. 5(1)(b), (c), (f), Art. 32 GDPR
#   source: law.md ESC-04
#   force: binding
#   sdm: Vertraulichkeit
deny contains "ESC-04" if not input.role == "adviser"

deny contains "ESC-04" if not input.open == true

deny contains "ESC-04" if not input.assigned == true

# METADATA
# title: No scores, no trails, no tags
# description: A field that is not on the card's closed list stays hidden, and so does an unknown block.
# custom:
#   id: ESC-04
#   de: Die Beratung sieht nur, was für Ihre Frage nötig und von Ihnen freigegeben ist, und nur bis das Gespräch endet.
#   en: The adviser sees only what your question needs and you have released, and only until the conversation ends.
#   legal_basis: Art. 5(1)(b), (c), (f), Art. 32 GDPR
#   source: law.md ESC-04
#   force: binding
#   sdm: Vertraulichkeit
hidden[field] contains "ESC-04" if {
	some field in input.fields
	not field in _fields
}

hidden[block] contains "ESC-04" if {
	some block, _ in input.blocks
	not block in _blocks
	block != "question"
}

# METADATA
# title: The consent for a block is not in force
hidden[block] contains standing.refusal(fact.status) if {
	some block, fact in input.blocks
	block in _blocks
}

# METADATA
# title: Proof on demand
# description: A consent that cannot be proven by a complete record is not used.
# custom:
#   id: CON-08
#   de: Zu dieser Einwilligung fehlt der vollständige Nachweis. Deshalb nutzen wir sie nicht.
#   en: The complete proof of this consent is missing. So we do not use it.
#   legal_basis: Art. 5(2), Art. 7(1) GDPR
#   source: law.md CON-08
#   force: binding
#   sdm: Transparenz
hidden[block] contains "CON-08" if {
	some block, fact in input.blocks
	block in _blocks
	fact.status in standing.in_force
	not fact.proof_complete == true
}

# METADATA
# title: Sensitive by inference
# description: Nothing that could reveal something sensitive reaches the adviser, unless the visitor says it.
# custom:
#   id: SPC-01
#   de: Das könnte etwas Sensibles über Sie verraten, etwa zur Gesundheit. Ohne Ihr ausdrückliches Ja bleibt es außen vor.
#   en: This could reveal something sensitive about you, such as your health. Without your explicit yes it is left out.
#   legal_basis: Art. 9(1), Art. 4(15) GDPR
#   source: law.md SPC-01
#   force: binding
#   sdm: Vertraulichkeit
hidden[block] contains "SPC-01" if {
	input.special == true
	some block in _blocks
	input.blocks[block]
}
