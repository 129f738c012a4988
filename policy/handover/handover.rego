# METADATA
# scope: package
# title: Hand-over
# description: |
#   One click of the visitor on a way to a human. The click needs a token that we
#   gave with an offer, and a channel that was offered and is still open.
# schemas:
#   - input: schema.handover
package handover

# METADATA
# title: Verdict on a click
# entrypoint: true
verdict := {"allowed": allowed, "rules": rules}

# METADATA
# title: Allowed
default allowed := false

allowed if {
	input.token_valid == true
	_offered
	_open
	count(deny) == 0
}

rules := because | deny

_offered if input.channel in input.offered_channels

_open if input.channel in input.open_channels

# METADATA
# title: Who asks for a human gets one
# description: A click is the visitor's own act; it needs no consent and no score.
# custom:
#   id: ESC-03
#   de: Sie haben um einen Menschen gebeten. Das geht immer, ohne Einwilligung und ohne Bewertung.
#   en: You asked for a human. That always works, without consent and without any score.
#   legal_basis: Art. 22, Art. 5(1)(a) GDPR
#   source: law.md ESC-03
#   force: binding
#   sdm: Intervenierbarkeit
because contains "ESC-03" if allowed

# METADATA
# title: The token must be ours and fresh
# description: A hand-over needs the signed, short-lived token of an offer.
# custom:
#   id: OFFER-TOKEN
#   de: Dieses Angebot ist abgelaufen oder ungültig. Bitte fragen Sie noch einmal.
#   en: This offer has expired or is not valid. Please ask again.
#   legal_basis: Art. 32 GDPR
#   source: requirements R2, R59
#   force: voluntary
#   sdm: Integrität
deny contains "OFFER-TOKEN" if not input.token_valid == true

# METADATA
# title: Only channels that were offered
# description: The channel clicked is not one of those that the answer carried.
# custom:
#   id: OFFER-CHANNEL
#   de: Dieser Weg zu einem Menschen wurde nicht angeboten. Bitte wählen Sie einen anderen.
#   en: This way to a human was not offered. Please choose another.
#   legal_basis: none; design rule
#   source: requirements R1
#   force: voluntary
#   sdm: Integrität
deny contains "OFFER-CHANNEL" if not _offered

# METADATA
# title: Only when somebody is there
# description: The channel has closed since it was offered.
# custom:
#   id: OFFER-HOURS
#   de: Gerade ist kein Kanal zu einem Menschen geöffnet. Den Kontakt und die Zeiten finden Sie in der Antwort.
#   en: No channel to a human is open right now. Contact and opening hours are in the answer.
#   legal_basis: none; design rule
#   source: requirements R10
#   force: voluntary
#   sdm: Verfügbarkeit
deny contains "OFFER-HOURS" if not _open

# METADATA
# title: Switched off
# description: Proactive offers were switched off after this one was made. A visitor who asks still gets a human.
# custom:
#   id: SWITCH
#   de: Diese Funktion wurde vom Shop abgeschaltet.
#   en: The shop has switched this function off.
#   legal_basis: none; a decision of the shop
#   source: design.md, switches
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "SWITCH" if {
	not input.asked == true
	not input.switch_on == true
}
