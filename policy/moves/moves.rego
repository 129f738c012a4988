# METADATA
# scope: package
# title: Moves
# description: |
#   Guards the size and speed of price moves. A move beyond a limit that the shop set
#   for itself is stored only with the sign-off of a person who is named. Limits of 0
#   are none.
# schemas:
#   - input: schema.move
package moves

# METADATA
# title: Verdict on a price move
# entrypoint: true
verdict := {"allowed": allowed, "rules": rules}

# METADATA
# title: Allowed
# description: Within all limits, or signed off.
default allowed := false

allowed if {
	_complete
	count(rules) == 0
}

allowed if {
	_complete
	input.signed_off == true
}

_complete if {
	input.limits.drop_bp >= 0
	input.limits.rise_bp >= 0
	input.limits.moves_day >= 0
	input.move.drop_bp >= 0
	input.move.rise_bp >= 0
	input.move.moves_day >= 0
}

# METADATA
# title: Fail closed
# description: A move without its facts cannot be judged.
# custom:
#   id: CON-11
#   de: Zu diesem Preis fehlen Angaben, oder wir verstehen sie nicht. Im Zweifel gilt der Listenpreis.
#   en: Details of this price are missing or not understood. When in doubt, the list price applies.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Integrität
#   since: "2"
rules contains "CON-11" if not _complete

# METADATA
# title: A steep fall needs a person
# description: Who bought just before a steep fall feels cheated, and a private or business buyer's goods lose worth.
# custom:
#   id: PRICE-DROP
#   de: Der Preis fällt stärker, als der Shop es sich selbst erlaubt. Dafür muss ein Mensch mit Namen einstehen.
#   en: The price falls further than the shop allows itself. A person has to put their name to that.
#   legal_basis: none; design rule
#   source: requirements R48
#   force: voluntary
#   sdm: Intervenierbarkeit
#   since: "2"
rules contains "PRICE-DROP" if {
	input.limits.drop_bp > 0
	input.move.drop_bp > input.limits.drop_bp
}

# METADATA
# title: A steep rise needs a person
# description: A steep rise looks like a reference price in the making.
# custom:
#   id: PRICE-RISE
#   de: Der Preis steigt stärker, als der Shop es sich selbst erlaubt. Dafür muss ein Mensch mit Namen einstehen.
#   en: The price rises further than the shop allows itself. A person has to put their name to that.
#   legal_basis: none; design rule
#   source: requirements R48
#   force: voluntary
#   sdm: Intervenierbarkeit
#   since: "2"
rules contains "PRICE-RISE" if {
	input.limits.rise_bp > 0
	input.move.rise_bp > input.limits.rise_bp
}

# METADATA
# title: Many moves a day need a person
# description: A price that keeps moving cannot be compared by anybody.
# custom:
#   id: PRICE-PACE
#   de: Der Preis ändert sich öfter am Tag, als der Shop es sich selbst erlaubt. Dafür muss ein Mensch mit Namen einstehen.
#   en: The price changes more often in a day than the shop allows itself. A person has to put their name to that.
#   legal_basis: none; design rule
#   source: requirements R48
#   force: voluntary
#   sdm: Intervenierbarkeit
#   since: "2"
rules contains "PRICE-PACE" if {
	input.limits.moves_day > 0
	input.move.moves_day > input.limits.moves_day
}
