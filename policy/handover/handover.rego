# METADATA
# scope: package
# title: Hand-over
# description: |
#   One click of the visitor on a way to a human. The click needs a token that we
#   gave with an offer, and a channel that was offered and is still open. Only the
#   click opens a vendor's chat or video; whoever answers first says what they are.
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
# title: The vendor loads now, because of the click
# description: The visitor opened the channel, so its vendor's link is strictly necessary.
# custom:
#   id: ESC-02
#   de: Fremde Chat- und Videodienste laden wir erst, wenn Sie den Kanal öffnen.
#   en: Chat and video services of others load only when you open the channel.
#   legal_basis: § 25 TDDDG
#   source: law.md ESC-02
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
because contains "ESC-02" if {
	allowed
	input.third_party == true
}

# METADATA
# title: Chat and video load on demand
# description: |
#   A vendor that was loaded before the click is not used. Without knowing who runs the channel there is no link.
# custom:
#   id: ESC-02
#   de: Fremde Chat- und Videodienste laden wir erst, wenn Sie den Kanal öffnen.
#   en: Chat and video services of others load only when you open the channel.
#   legal_basis: § 25 TDDDG
#   source: law.md ESC-02
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "ESC-02" if not input.preloaded == false

deny contains "ESC-02" if not _vendor_known

_vendor_known if is_boolean(input.third_party)

# METADATA
# title: A machine says that it is one
# description: Where a bot answers first, the answer to the click carries the words that say so.
# custom:
#   id: ESC-05
#   de: Wenn ein Programm mit Ihnen spricht, sagt es das, zu Beginn und wieder bei der Übergabe.
#   en: When a machine speaks to you it says so, at the start and again on hand-over.
#   legal_basis: Art. 50(1) AI Act; § 5 UWG
#   source: law.md ESC-05
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "ESC-05" if {
	not input.bot == false
	not input.disclosed == true
}

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
