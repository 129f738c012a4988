# METADATA
# scope: package
# title: Export
# description: |
#   The export gate: may this row leave for this channel? Each channel has its own
#   purpose, and the segment's own purpose must still be in force too.
# schemas:
#   - input: schema.export
package export

import data.standing

# METADATA
# title: Verdict on a row
# entrypoint: true
verdict := {"allowed": allowed, "rules": deny}

# METADATA
# title: Allowed
default allowed := false

allowed if {
	_basis
	input.source in standing.in_force
	count(deny) == 0
}

_basis if {
	input.purpose in _consented
	_in_force
}

_basis if {
	input.purpose == "marketing_post"
	_post_in_force
}

_in_force if input.state in standing.in_force

_post_in_force if input.state in _post_states

_consented := (_direct | _others) | {"personalisation_content", "adviser_assist"}

_channels := _consented | {"marketing_post"}

_post_states := standing.in_force | {"unknown"}

_direct := {"marketing_email", "marketing_sms", "marketing_push", "marketing_phone"}

_others := {"ads_third_party", "data_sharing"}

_marketing := (_direct | _others) | {"marketing_post", "personalisation_content"}

# METADATA
# title: Consent per channel
# description: E-mail, SMS, phone, push and uploads each need their own yes. Post rests on legitimate interest with opt-out.
# custom:
#   id: EXP-01
#   de: Für diesen Kanal haben Sie nicht eingewilligt. Ein Ja zu einem anderen Kanal reicht nicht.
#   en: You have not agreed to this channel. A yes to another channel is not enough.
#   legal_basis: § 7(2) UWG; Art. 6(1)(a), Art. 7 GDPR
#   source: law.md EXP-01
#   force: binding
#   sdm: Nichtverkettung
deny contains "EXP-01" if {
	input.purpose in _consented
	not _in_force
}

deny contains "EXP-01" if {
	input.purpose == "marketing_post"
	not _post_in_force
}

# METADATA
# title: The consent is not in force
deny contains standing.refusal(input.state) if input.purpose in _consented

# METADATA
# title: Fail closed
# description: A channel without a known purpose exports nothing.
# custom:
#   id: CON-11
#   de: Für diesen Zweck liegt keine eindeutige Einwilligung von Ihnen vor. Im Zweifel gilt Nein.
#   en: There is no clear consent from you for this purpose. When in doubt, it is a no.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "CON-11" if not _complete

_complete if {
	input.purpose in _channels
	is_string(input.source)
	is_boolean(input.gpc)
	input.tag in {"none", "special", "special_explicit"}
	input.age in {"unknown", "u16", "16_17", "adult"}
}

# METADATA
# title: The segment rests on a consent that is not in force
deny contains standing.refusal(input.source) if not _source_withdrawn

_source_withdrawn if input.source in {"withdrawn", "revoked"}

# METADATA
# title: Withdrawn since
# description: What was computed under a consent that was withdrawn does not leave.
# custom:
#   id: BAT-03
#   de: Sie haben die Einwilligung widerrufen, auf der diese Gruppe beruht. Sie gehören deshalb nicht mehr dazu.
#   en: You withdrew the consent on which this group rests. So you are no longer part of it.
#   legal_basis: Art. 7(3), Art. 17(1)(b) GDPR
#   source: law.md BAT-03
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "BAT-03" if _source_withdrawn

# METADATA
# title: Consent at both times
# description: The consent behind the group was not yet in force when the behaviour happened.
# custom:
#   id: BAT-01
#   de: Ihre Einwilligung galt noch nicht, als das geschah, worauf diese Gruppe beruht.
#   en: Your consent was not yet in force when what this group rests on happened.
#   legal_basis: Art. 5(1)(a), Art. 7(3) GDPR
#   source: law.md BAT-01
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "BAT-01" if input.source == "before_grant"

deny contains "BAT-01" if input.state == "before_grant"

# METADATA
# title: Objection to direct marketing is absolute
# description: An objection, or an entry on the suppression list, stops every channel at once.
# custom:
#   id: EXP-03
#   de: Sie haben der Werbung widersprochen. Das gilt für alle Kanäle.
#   en: You objected to marketing. That holds for all channels.
#   legal_basis: Art. 21(2)-(4) GDPR
#   source: law.md EXP-03
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "EXP-03" if not input.objection == false

deny contains "EXP-03" if not input.suppressed == false

# METADATA
# title: No small groups
# description: A group under the least size does not leave; the size itself is at least ten.
# custom:
#   id: EXP-07
#   de: Diese Gruppe ist zu klein, um niemanden erkennbar zu machen. Sie wird nicht herausgegeben.
#   en: This group is too small to keep everybody in it unrecognisable. It is not released.
#   legal_basis: Art. 5(1)(c), Art. 25 GDPR; WP216
#   source: law.md EXP-07
#   force: guidance
#   sdm: Vertraulichkeit
deny contains "EXP-07" if not input.small == false

deny contains "EXP-07" if not data.settings.k >= 10

# METADATA
# title: Global Privacy Control blocks sharing
# description: The browser objects to sharing with other controllers and to audience uploads.
# custom:
#   id: SIG-02
#   de: Ihr Browser sendet Global Privacy Control. An andere geben wir deshalb nichts weiter.
#   en: Your browser sends Global Privacy Control. So we pass nothing on to others.
#   legal_basis: Art. 21(5) GDPR
#   source: law.md SIG-02
#   force: contested
#   sdm: Intervenierbarkeit
deny contains "SIG-02" if {
	input.purpose in _others
	input.gpc == true
}

# METADATA
# title: Sensitive by inference
# description: A group that could reveal something sensitive does not leave.
# custom:
#   id: SPC-01
#   de: Das könnte etwas Sensibles über Sie verraten, etwa zur Gesundheit. Ohne Ihr ausdrückliches Ja bleibt es außen vor.
#   en: This could reveal something sensitive about you, such as your health. Without your explicit yes it is left out.
#   legal_basis: Art. 9(1), Art. 4(15) GDPR
#   source: law.md SPC-01
#   force: binding
#   sdm: Vertraulichkeit
deny contains "SPC-01" if input.tag == "special"

# METADATA
# title: Explicit consent has limits
# description: Not even an explicit yes for a sensitive category covers an export.
# custom:
#   id: SPC-03
#   de: Sensible Angaben geben wir nie für Werbung heraus, auch nicht mit ausdrücklicher Einwilligung.
#   en: We never release sensitive details for marketing, not even with explicit consent.
#   legal_basis: Art. 9(2)(a) GDPR; Art. 26(3) DSA
#   source: law.md SPC-03
#   force: binding
#   sdm: Nichtverkettung
deny contains "SPC-03" if input.tag == "special_explicit"

# METADATA
# title: Children under 16
# description: Nothing about a child leaves.
# custom:
#   id: SPC-05
#   de: Für Kinder unter 16 Jahren verarbeiten wir ohne die Eltern nur das Nötigste.
#   en: For children under 16 we process only what is essential unless the parents agree.
#   legal_basis: Art. 8 GDPR
#   source: law.md SPC-05
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "SPC-05" if input.age == "u16"

# METADATA
# title: No profiling of minors for marketing
# description: No audience holds visitors of 16 and 17.
# custom:
#   id: SPC-06
#   de: Unter 18 Jahren gibt es bei uns keine Werbung und keine Inhalte nach Verhalten.
#   en: Under the age of 18 we show no advertising and no content by behaviour.
#   legal_basis: recitals 38 and 71 GDPR; Art. 28(2) DSA
#   source: law.md SPC-06
#   force: binding
#   sdm: Nichtverkettung
deny contains "SPC-06" if {
	input.purpose in _marketing
	input.age == "16_17"
}

# METADATA
# title: A restricted visitor's data rests
# description: Restriction under Art. 18, or objection under Art. 21.
# custom:
#   id: RGT-07
#   de: Sie haben die Verarbeitung einschränken lassen oder ihr widersprochen. Solange ruht sie.
#   en: You had the processing restricted or objected to it. Until that changes, it rests.
#   legal_basis: Art. 18, Art. 21 GDPR
#   source: law.md RGT-07
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "RGT-07" if "restricted" in {input.state, input.source}

# METADATA
# title: Switched off
# description: A person of the shop has switched exports off.
# custom:
#   id: SWITCH
#   de: Diese Funktion wurde vom Shop abgeschaltet.
#   en: The shop has switched this function off.
#   legal_basis: none; a decision of the shop
#   source: design.md, switches
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "SWITCH" if "switched_off" in {input.state, input.source}
