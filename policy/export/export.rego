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

_basis if _existing_customer

# All of § 7(3) UWG, for somebody who never decided about mails: an expired, withdrawn
# or refused consent is no silence.
_existing_customer if {
	input.purpose == "marketing_email"
	input.state == "unknown"
	input.customer.channel == true
	input.customer.ordered == true
	input.customer.similar == true
	input.customer.notice_at_order == true
	input.customer.notice_in_mail == true
	input.objection == false
	input.suppressed == false
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
	not _existing_customer
}

deny contains "EXP-01" if {
	input.purpose == "marketing_post"
	not _post_in_force
}

# METADATA
# title: The consent is not in force
deny contains standing.refusal(input.state) if {
	input.purpose in _consented
	not _existing_customer
}

# METADATA
# title: Existing customers
# description: |
#   Without consent only e-mail, and only if all four facts hold: an order of this shop,
#   own similar goods, no objection, and the notice at the order and in every mail.
# custom:
#   id: EXP-02
#   de: Ohne Einwilligung schreiben wir nur Kundinnen und Kunden per E-Mail, zu ähnlichen Waren und mit Hinweis auf den Widerspruch.
#   en: Without consent we write only to customers, only by e-mail, about similar goods, and say how to object.
#   legal_basis: § 7(3) UWG; Art. 13(2) ePrivacy Directive
#   source: law.md EXP-02
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "EXP-02" if {
	input.customer.channel == true
	not _in_force
	not _existing_customer
}

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
	is_boolean(input.dnt)
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
# title: The address belongs to the person who consented
# description: A mail needs an address that its owner confirmed, by the recipient's double opt-in or by one on our record.
# custom:
#   id: EXP-04
#   de: Diese E-Mail-Adresse wurde nicht bestätigt. Vorher schicken wir keine Werbung dorthin.
#   en: This e-mail address was not confirmed. Until then we send no advertising to it.
#   legal_basis: Art. 7(1) GDPR
#   source: law.md EXP-04
#   force: guidance
#   sdm: Integrität
#   since: "2"
deny contains "EXP-04" if {
	input.purpose == "marketing_email"
	not input.confirmed == true
	not _existing_customer
}

# METADATA
# title: An upload is a disclosure
# description: |
#   Hashed or not, an audience upload needs consent to ads_third_party under a notice that
#   names the platform, no objecting browser, no minor and no sensitive group.
# custom:
#   id: EXP-05
#   de: An Werbeplattformen geben wir Sie nur weiter, wenn Sie genau dazu Ja gesagt haben. Eine verschlüsselte Kennung ändert daran nichts.
#   en: We pass you on to an advertising platform only if you said yes to just that. A hashed id changes nothing about it.
#   legal_basis: Art. 6(1)(a), Art. 26 GDPR
#   source: law.md EXP-05
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "EXP-05" if {
	input.purpose in _others
	not _upload_in_order
}

_upload_in_order if {
	_in_force
	input.recipient.named == true
	input.gpc == false
	input.dnt == false
	input.objection == false
	input.suppressed == false
	not input.age in {"u16", "16_17"}
	input.tag == "none"
}

# METADATA
# title: Do Not Track is an objection
# description: The browser objected to tracking, so nothing goes to advertising on other sites.
# custom:
#   id: SIG-03
#   de: Ihr Browser sendet Do Not Track. Für Werbung auf anderen Seiten nutzen wir deshalb nichts.
#   en: Your browser sends Do Not Track. So we use nothing for advertising on other sites.
#   legal_basis: Art. 21(5) GDPR
#   source: law.md SIG-03, EXP-05
#   force: contested
#   sdm: Intervenierbarkeit
#   since: "2"
deny contains "SIG-03" if {
	input.purpose in _others
	input.dnt == true
}

# METADATA
# title: Recipient gate
# description: |
#   A recipient gets nothing unless the register names it with its contract, a ground for
#   a transfer and a deletion term, and the notices name it. That the rows bear pseudonyms
#   changes nothing.
# custom:
#   id: EXP-08
#   de: Diesen Empfänger nennt unser Verzeichnis oder unser Datenschutzhinweis nicht vollständig. Er bekommt deshalb nichts.
#   en: Our register or our privacy notice does not name this recipient in full. So it gets nothing.
#   legal_basis: Art. 13(1)(e), Art. 26, Art. 28, Art. 30(1)(d), Art. 44-49 GDPR
#   source: law.md EXP-08
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "EXP-08" if not _recipient_in_order

_recipient_in_order if {
	input.recipient.registered == true
	_bound
	_transfer_in_order
	input.recipient.deletion_term == true
	input.recipient.named == true
}

_bound if input.recipient.role == "own"

_bound if {
	input.recipient.role in {"processor", "controller", "joint"}
	input.recipient.contract == true
}

_transfer_in_order if {
	input.recipient.third_country == false
	input.recipient.transfer == "none"
}

_transfer_in_order if input.recipient.transfer == "adequacy"

_transfer_in_order if {
	input.recipient.transfer == "dpf"
	input.recipient.dpf_stands == true
}

_transfer_in_order if {
	input.recipient.transfer == "scc"
	input.recipient.assessed == true
}

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

deny contains "EXP-07" if not _large_enough

_large_enough if data.settings.k >= 10

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
