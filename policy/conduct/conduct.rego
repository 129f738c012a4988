# METADATA
# scope: package
# title: Conduct
# description: |
#   What the shop's people may do with a contact beyond talking: record it, have it
#   transcribed, listen in, or call somebody. Each needs a yes that came before. A
#   stop is never refused, and orders the deletion.
# schemas:
#   - input: schema.conduct
package conduct

import data.standing

# METADATA
# title: Verdict on an act
# entrypoint: true
verdict := {"allowed": allowed, "basis": basis, "delete": delete, "rules": rules}

# METADATA
# title: Allowed
default allowed := false

allowed if count(deny) == 0

# METADATA
# title: Basis
# description: What the act rests on; nothing if it is refused.
default basis := ""

basis := _rests_on if allowed

# METADATA
# title: Deletion ordered
# description: |
#   With a stop: after the agreed days while the visitor's yes stands, else now.
default delete := ""

delete := "agreed" if {
	input.act == "stop"
	_proven(input.recording.consent)
	input.restricted == false
} else := "now" if {
	input.act == "stop"
}

rules := because | deny

default _rests_on := ""

_rests_on := "consent" if {
	input.act == "record"
} else := "request" if {
	input.act == "call"
	_as_asked
} else := "marketing_phone" if {
	input.act == "call"
	_in_force(input.call.consent)
}

_in_force(fact) if fact.status in standing.in_force

_proven(fact) if {
	_in_force(fact)
	fact.proof_complete == true
}

# METADATA
# title: Recording on everybody's yes
# description: All who take part agreed before it starts.
# custom:
#   id: ESC-06
#   de: Aufzeichnen, Mitschreiben oder Mithören beginnt erst, wenn alle Beteiligten vorher Ja gesagt haben. Endet ein Ja, wird gelöscht.
#   en: Recording, transcription or listening in begins only after everybody involved has said yes. When a yes ends, it is deleted.
#   legal_basis: §§ 201, 201a StGB; Art. 6(1)(a), Art. 7(3) GDPR; § 26 BDSG
#   source: law.md ESC-06
#   force: binding
#   sdm: Vertraulichkeit
#   since: "2"
because contains "ESC-06" if basis == "consent"

because contains "ESC-06" if delete == "now"

# METADATA
# title: Recording, transcription and listening in need everybody's prior yes
# description: |
#   The visitor's yes is a consent record; each member of staff says yes in person. A
#   yes that is missing, withdrawn, unproven or later than the start is none.
# custom:
#   id: ESC-06
#   de: Aufzeichnen, Mitschreiben oder Mithören beginnt erst, wenn alle Beteiligten vorher Ja gesagt haben. Endet ein Ja, wird gelöscht.
#   en: Recording, transcription or listening in begins only after everybody involved has said yes. When a yes ends, it is deleted.
#   legal_basis: §§ 201, 201a StGB; Art. 6(1)(a), Art. 7(3) GDPR; § 26 BDSG
#   source: law.md ESC-06
#   force: binding
#   sdm: Vertraulichkeit
#   since: "2"
deny contains "ESC-06" if {
	input.act == "record"
	not _proven(input.recording.consent)
}

deny contains "ESC-06" if {
	input.act == "record"
	some participant in input.recording.participants
	not _agreed_before(participant)
}

deny contains "ESC-06" if {
	input.act == "record"
	some who in {"visitor", "adviser"}
	not who in _present
}

deny contains "ESC-06" if {
	input.act == "record"
	not input.recording.kind in {"audio", "video", "transcript", "listen"}
}

_agreed_before(participant) if {
	participant.agreed == true
	participant.before == true
}

_present := {participant.who | some participant in input.recording.participants}

# METADATA
# title: No inference of feelings from voice, picture or typing
# description: |
#   Only a summary or a translation may be computed from a conversation. Feelings,
#   stress and bodies are read of nobody, visitor or adviser.
# custom:
#   id: SPC-07
#   de: Not, Schwächen oder Gefühle werten wir nicht aus und nutzen sie nicht aus.
#   en: We neither read nor exploit distress, weaknesses or feelings.
#   legal_basis: Art. 5(1)(a), (b), (f) AI Act; § 4a UWG
#   source: law.md SPC-07
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "SPC-07" if {
	some what in input.recording.analytics
	not what in {"summary", "translation"}
}

# METADATA
# title: Only the people of this contact
# description: |
#   Advisers alone act on a contact, and only its own adviser calls. A closed contact
#   is not recorded.
# custom:
#   id: ESC-04
#   de: Die Beratung sieht nur, was für Ihre Frage nötig und von Ihnen freigegeben ist, und nur bis das Gespräch endet.
#   en: The adviser sees only what your question needs and you have released, and only until the conversation ends.
#   legal_basis: Art. 5(1)(b), (c), (f), Art. 32 GDPR
#   source: law.md ESC-04
#   force: binding
#   sdm: Vertraulichkeit
#   since: "2"
deny contains "ESC-04" if not input.role == "adviser"

deny contains "ESC-04" if {
	input.act == "call"
	not input.assigned == true
}

deny contains "ESC-04" if {
	input.act == "record"
	not input.open == true
}

# METADATA
# title: A call that was asked for
# description: To that number, at that time, on that subject.
# custom:
#   id: ESC-07
#   de: Wir rufen nur so an, wie Sie es wünschten. Für alles andere brauchen wir Ihr ausdrückliches Ja zu Werbeanrufen.
#   en: We call only as you asked us to. For anything else we need your express yes to advertising calls.
#   legal_basis: § 7(2) no. 1, § 20 UWG
#   source: law.md ESC-07
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
because contains "ESC-07" if basis == "request"

# METADATA
# title: Advertising calls need prior express consent
# description: What was not asked for needs marketing_phone; an abandoned basket asks for nothing.
# custom:
#   id: ESC-07
#   de: Wir rufen nur so an, wie Sie es wünschten. Für alles andere brauchen wir Ihr ausdrückliches Ja zu Werbeanrufen.
#   en: We call only as you asked us to. For anything else we need your express yes to advertising calls.
#   legal_basis: § 7(2) no. 1, § 20 UWG
#   source: law.md ESC-07
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "ESC-07" if {
	input.act == "call"
	_rests_on == ""
}

_as_asked if {
	input.call.requested == true
	input.call.as_asked_number == true
	input.call.as_asked_topic == true
	input.call.as_asked_time == true
}

# METADATA
# title: The use of a phone consent is kept on file
# description: A call under marketing_phone appends a use, and five years begin anew.
# custom:
#   id: ESC-08
#   de: Ein Werbeanruf braucht den vollständigen Nachweis Ihrer Einwilligung. Jede Nutzung wird vermerkt, fünf Jahre lang.
#   en: An advertising call needs the complete proof of your consent. Each use is noted down, for five years.
#   legal_basis: § 7a UWG
#   source: law.md ESC-08
#   force: binding
#   sdm: Transparenz
#   since: "2"
because contains "ESC-08" if basis == "marketing_phone"

# METADATA
# title: No advertising call without a complete file of our own
# description: A proof that somebody else holds, or none, is not one.
# custom:
#   id: ESC-08
#   de: Ein Werbeanruf braucht den vollständigen Nachweis Ihrer Einwilligung. Jede Nutzung wird vermerkt, fünf Jahre lang.
#   en: An advertising call needs the complete proof of your consent. Each use is noted down, for five years.
#   legal_basis: § 7a UWG
#   source: law.md ESC-08
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "ESC-08" if {
	_rests_on == "marketing_phone"
	not _proven(input.call.consent)
}

# METADATA
# title: A restricted visitor's data rests
# description: |
#   No recording and no advertising call under restriction, no advertising call after
#   an objection. The call that the visitor asks for is the visitor's own request.
# custom:
#   id: RGT-07
#   de: Sie haben die Verarbeitung einschränken lassen oder ihr widersprochen. Solange ruht sie.
#   en: You had the processing restricted or objected to it. Until that changes, it rests.
#   legal_basis: Art. 18, Art. 21 GDPR
#   source: law.md RGT-07
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
deny contains "RGT-07" if {
	_rests_on in {"consent", "marketing_phone"}
	not input.restricted == false
}

deny contains "RGT-07" if {
	_rests_on == "marketing_phone"
	not input.objected == false
}

# METADATA
# title: Fail closed
# description: An act that we do not know, or facts that are missing, refuse.
# custom:
#   id: CON-11
#   de: Für diesen Zweck liegt keine eindeutige Einwilligung von Ihnen vor. Im Zweifel gilt Nein.
#   en: There is no clear consent from you for this purpose. When in doubt, it is a no.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
deny contains "CON-11" if not _readable

_readable if {
	input.act in {"record", "stop", "call"}
	is_object(input.call)
	is_array(input.recording.participants)
	is_array(input.recording.analytics)
}
