# METADATA
# scope: package
# title: Minimise
# description: |
#   The event gate. Judges one purpose for one kind of event: may the event be
#   kept for it, and which fields of it. An event is kept for the purposes that
#   allow it, with the fields that they need together. A field named nowhere
#   below is dropped.
# schemas:
#   - input: schema.event
package minimise

import data.standing

# METADATA
# title: Verdict on a case
# entrypoint: true
verdict := {"allowed": allowed, "keep": keep, "rules": deny, "night": night}

# METADATA
# title: Allowed
# description: Refused unless a basis is there and no rule refuses.
default allowed := false

allowed if {
	_basis
	count(deny) == 0
}

_basis if {
	input.purpose in _optional
	input.state in standing.in_force
	input.stamp in {"yes", "trusted"}
}

_basis if {
	input.purpose == "essential_service"
	input.stamp == "trusted"
	input.kind in _orders
}

_optional := {
	"analytics",
	"experimentation",
	"personalisation_content",
	"adviser_assist",
	"ads_third_party",
	"model_training",
}

_orders := {"order_completed", "order_refunded", "order_cancelled"}

_sets := _orders | {
	"products_compared",
	"product_list_viewed",
	"cart_viewed",
	"checkout_started",
	"checkout_step_viewed",
	"checkout_step_completed",
	"checkout_failed",
}

_circumstances := {"switched_off", "unregistered", "ahead", "late", "restricted", "unlinked"}

# METADATA
# title: Only declared fields are kept
# description: |
#   Names the fields of an event that the purpose needs. Anything else is dropped
#   before storage, for every purpose: full addresses, user agents, query
#   strings, free text, e-mail, title. No purpose keeps an address prefix.
# custom:
#   id: LAW-06
#   de: Wir behalten nur die wenigen Angaben, die dieser Zweck braucht. Alles andere wird vor dem Speichern verworfen.
#   en: We keep only the few details that this purpose needs. Everything else is dropped before anything is stored.
#   legal_basis: Art. 5(1)(c), Art. 25(2) GDPR
#   source: law.md LAW-06, LAW-05
#   force: binding
#   sdm: Datenminimierung
keep contains field if {
	allowed
	some field in _needs[input.purpose]
}

_needs := {
	"essential_service": {"items", "order_key", "cart_cents", "currency", "price_cents"},
	"analytics": {
		"page_type", "referrer_host", "category", "product_id", "product_class", "price_cents", "quantity", "results",
		"cart_cents", "currency", "step", "error_class", "slot", "ua_family", "locale", "hour_band", "dwell_ms",
	},
	"experimentation": {"page_type", "slot", "decision_id", "product_id", "cart_cents"},
	"personalisation_content": (_interest | {"query_key", "query_exact", "order_key", "items"}),
	"adviser_assist": ((_interest - {"slot", "locale"}) | {"query_key", "query_words", "query_exact", "order_key", "items", "authenticated"}),
	"ads_third_party": {"product_id", "category", "page_type"},
	"model_training": _interest,
}

_interest := {
	"product_id", "category", "product_class", "price_cents", "quantity", "product_variant", "results", "cart_cents",
	"currency", "step", "error_class", "decision_id", "slot", "page_type", "locale", "hour_band", "dwell_ms",
}

# METADATA
# title: Night names
# description: |
#   The refusal in the night's words: what a row lacks then is consent at both
#   times (BAT-01), and what was withdrawn since must go (BAT-03).
night := (deny - {"BAT-02"}) | since

# METADATA
# title: Consent at both times
# description: The consent was not in force when the event happened, whatever it is at the run.
# custom:
#   id: BAT-01
#   de: Ihre Einwilligung galt noch nicht, als das geschah. Es wird deshalb nicht ausgewertet.
#   en: Your consent was not yet in force when this happened. So it is not evaluated.
#   legal_basis: Art. 5(1)(a), Art. 7(3) GDPR
#   source: law.md BAT-01
#   force: binding
#   sdm: Intervenierbarkeit
since contains "BAT-01" if {
	input.purpose in _optional
	input.state == "before_grant"
}

# METADATA
# title: Withdrawn between event and run
# description: The run leaves the event out, and what was held only for the purpose is deleted.
# custom:
#   id: BAT-03
#   de: Sie haben Ihre Einwilligung inzwischen widerrufen. Es wird nicht ausgewertet und gelöscht.
#   en: You have withdrawn your consent since. It is not evaluated, and it is deleted.
#   legal_basis: Art. 7(3), Art. 17(1)(b) GDPR
#   source: law.md BAT-03
#   force: binding
#   sdm: Intervenierbarkeit
since contains "BAT-03" if {
	input.purpose in _optional
	input.state in {"withdrawn", "revoked"}
}

# METADATA
# title: The consent is not in force
deny contains standing.refusal(input.state) if {
	input.purpose in _optional
	input.state != "refused"
}

# METADATA
# title: Opt-in before anything that is not essential
# description: No yes of this visitor on this device covers the purpose.
# custom:
#   id: CON-01
#   de: Ohne Ihr Ja speichern und lesen wir dafür nichts auf Ihrem Gerät.
#   en: Without your yes we store and read nothing on your device for this.
#   legal_basis: § 25(1) TDDDG; Art. 5(3) ePrivacy Directive
#   source: law.md CON-01
#   force: binding
#   sdm: Nichtverkettung
deny contains "CON-01" if {
	input.purpose in _optional
	input.state in {"unknown", "refused"}
	input.stamp != "missing"
}

# METADATA
# title: The exemption is bound to the service asked for
# description: Without consent, only the order events that the shop's own server sends are needed for the order.
# custom:
#   id: CON-02
#   de: Ohne Einwilligung verarbeiten wir nur, was für Ihre Bestellung unbedingt nötig ist. Das gehört nicht dazu.
#   en: Without consent we process only what your order strictly needs. This is not part of it.
#   legal_basis: § 25(2) no. 2 TDDDG; Art. 6(1)(b) GDPR
#   source: law.md CON-02
#   force: binding
#   sdm: Nichtverkettung
deny contains "CON-02" if {
	input.purpose == "essential_service"
	not _basis
}

# METADATA
# title: The event itself does not say yes
# description: An event without a consent object, or with a no, is refused whatever the book says.
# custom:
#   id: CON-11
#   de: Diese Nachricht trug keine Einwilligung für den Zweck, oder ein Nein. Im Zweifel gilt Nein.
#   en: This message carried no consent for the purpose, or a no. When in doubt, it is a no.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "CON-11" if {
	input.purpose in _optional
	input.stamp in {"missing", "no"}
}

# A claim of the browser never turns a no of the book into a yes (T8).
deny contains "CON-11" if {
	input.purpose in _optional
	input.state == "refused"
	input.stamp == "yes"
}

# What is not on the closed lists cannot be judged.
deny contains "CON-11" if not _readable

_readable if {
	is_string(input.kind)
	_needs[input.purpose]
	input.state in _states
	input.stamp in {"missing", "silent", "no", "yes", "trusted"}
	is_boolean(input.gpc)
	is_boolean(input.dnt)
	input.tag in {"none", "special", "special_explicit"}
	input.age in {"unknown", "u16", "16_17", "adult"}
}

_states := (standing.in_force | _circumstances) | {
	"unknown",
	"refused",
	"withdrawn",
	"expired",
	"invalidated",
	"revoked",
	"before_grant",
}

# METADATA
# title: A purpose that the consent object does not name is a no
# description: Segment would let such an event pass; we do not.
# custom:
#   id: SIG-10
#   de: Die Einwilligungsangabe in dieser Nachricht nennt den Zweck nicht. Nicht genannt heißt Nein.
#   en: The consent stated in this message does not name the purpose. Not named means no.
#   legal_basis: Art. 25(2) GDPR
#   source: law.md SIG-10
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "SIG-10" if {
	input.purpose in _optional
	input.stamp == "silent"
}

# METADATA
# title: Global Privacy Control blocks sharing
# description: |
#   The browser objects to sharing with others. Own, consented personalisation goes
#   on. Only a header value that is exactly "1" counts (SIG-01, read in Go).
# custom:
#   id: SIG-02
#   de: Ihr Browser sendet Global Privacy Control. Für Werbung auf anderen Seiten nutzen wir deshalb nichts.
#   en: Your browser sends Global Privacy Control. So we use nothing for advertising on other sites.
#   legal_basis: Art. 21(5) GDPR
#   source: law.md SIG-02, SIG-01
#   force: contested
#   sdm: Intervenierbarkeit
deny contains "SIG-02" if {
	input.purpose == "ads_third_party"
	input.gpc == true
}

# METADATA
# title: Do Not Track is an objection
# description: |
#   None of the gate's purposes rests on legitimate interest, so the objection meets
#   only cross-site advertising, where EXP-05 asks for it.
# custom:
#   id: SIG-03
#   de: Ihr Browser sendet Do Not Track. Für Werbung auf anderen Seiten nutzen wir deshalb nichts.
#   en: Your browser sends Do Not Track. So we use nothing for advertising on other sites.
#   legal_basis: Art. 21(5) GDPR
#   source: law.md SIG-03, EXP-05
#   force: contested
#   sdm: Intervenierbarkeit
deny contains "SIG-03" if {
	input.purpose == "ads_third_party"
	input.dnt == true
}

# METADATA
# title: Device and person are joined only with consent on both sides
# custom:
#   id: CON-14
#   de: Gerät und Kundenkonto werden nur verbunden, wenn auf beiden Seiten eine Einwilligung vorliegt.
#   en: A device and an account are joined only if there is consent on both sides.
#   legal_basis: § 25 TDDDG; Art. 4(11) GDPR
#   source: law.md CON-14
#   force: binding
#   sdm: Nichtverkettung
# description: A message that would link a device to an account lacks the account's credential or a consent.
deny contains "CON-14" if input.state == "unlinked"

# METADATA
# title: Consent does not reach back
# description: The event happened before the grant that is in force now.
# custom:
#   id: BAT-02
#   de: Das geschah, bevor Sie zugestimmt haben. Ihr Ja gilt nicht rückwirkend.
#   en: This happened before you agreed. Your yes does not reach back.
#   legal_basis: Art. 6(1)(a) GDPR; § 25 TDDDG
#   source: law.md BAT-02, BAT-01
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "BAT-02" if {
	input.purpose in _optional
	input.state == "before_grant"
}

# METADATA
# title: Clocks must be plausible
# description: More than five minutes in the future or more than seven days late.
# custom:
#   id: BAT-04
#   de: Die Zeitangabe dieser Nachricht liegt in der Zukunft oder zu weit zurück. Wir behalten sie nicht.
#   en: The time stated in this message is in the future or too long ago. We do not keep it.
#   legal_basis: Art. 5(1)(d) GDPR
#   source: law.md BAT-04
#   force: voluntary
#   sdm: Integrität
deny contains "BAT-04" if input.state in {"ahead", "late"}

# METADATA
# title: A restricted visitor's data rests
# description: Nothing new is taken in while a restriction under Art. 18 is in force.
# custom:
#   id: RGT-07
#   de: Sie haben die Verarbeitung einschränken lassen oder ihr widersprochen. Solange ruht sie.
#   en: You had the processing restricted or objected to it. Until that changes, it rests.
#   legal_basis: Art. 18, Art. 21 GDPR
#   source: law.md RGT-07
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "RGT-07" if input.state == "restricted"

# METADATA
# title: Switched off
# description: A person of the shop has switched ingest off.
# custom:
#   id: SWITCH
#   de: Diese Funktion wurde vom Shop abgeschaltet.
#   en: The shop has switched this function off.
#   legal_basis: none; a decision of the shop
#   source: design.md, switches
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "SWITCH" if input.state == "switched_off"

# METADATA
# title: Every processing has a registered purpose with one basis
# description: The register does not let the purpose run, whatever the visitor said (package processing).
# custom:
#   id: LAW-01
#   de: Dieser Zweck steht nicht vollständig im Verzeichnis der Verarbeitungstätigkeiten. Deshalb läuft er nicht.
#   en: This purpose is not wholly entered in the record of processing activities. So it does not run.
#   legal_basis: Art. 5(1)(a), Art. 5(1)(b), Art. 6(1), Art. 30 GDPR
#   source: law.md LAW-01
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "LAW-01" if input.state == "unregistered"

# METADATA
# title: Sensitive by inference
# description: |
#   Products, searches and pages about health, pregnancy, religion and the like make
#   the behaviour sensitive whether or not the inference is right.
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
# title: One sensitive item taints the set
# description: |
#   Sensitive lines are taken out of lists, carts and orders before they are judged.
#   What cannot be separated makes the whole set sensitive.
# custom:
#   id: SPC-02
#   de: In dieser Liste ließ sich ein sensibler Artikel nicht abtrennen. Deshalb bleibt die ganze Liste außen vor.
#   en: A sensitive item could not be separated from this list. So the whole list is left out.
#   legal_basis: Art. 9(1) GDPR; CJEU C-252/21
#   source: law.md SPC-02
#   force: binding
#   sdm: Vertraulichkeit
deny contains "SPC-02" if {
	input.tag == "special"
	input.kind in _sets
}

# METADATA
# title: Explicit consent has limits
# description: An explicit yes for a sensitive category never covers advertising, nor the training of models.
# custom:
#   id: SPC-03
#   de: Sensible Angaben nutzen wir nie für Werbung auf anderen Seiten oder zum Trainieren von Modellen.
#   en: We never use sensitive details for advertising on other sites or to train models.
#   legal_basis: Art. 9(2)(a) GDPR; Art. 26(3) DSA
#   source: law.md SPC-03
#   force: binding
#   sdm: Nichtverkettung
deny contains "SPC-03" if {
	input.tag == "special_explicit"
	input.purpose in {"ads_third_party", "model_training"}
}

# METADATA
# title: Children under 16
# description: Below 16, and in a children's shop at unknown age, a consent needs the parents.
# custom:
#   id: SPC-05
#   de: Für Kinder unter 16 Jahren verarbeiten wir ohne die Eltern nur das Nötigste.
#   en: For children under 16 we process only what is essential unless the parents agree.
#   legal_basis: Art. 8 GDPR
#   source: law.md SPC-05
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "SPC-05" if {
	input.purpose in _optional
	input.age == "u16"
}

# METADATA
# title: No profiling of minors for marketing
# description: Visitors of 16 and 17 may consent to measuring, but get contextual content and no targeted advertising.
# custom:
#   id: SPC-06
#   de: Unter 18 Jahren gibt es bei uns keine Werbung und keine Inhalte nach Verhalten.
#   en: Under the age of 18 we show no advertising and no content by behaviour.
#   legal_basis: recitals 38 and 71 GDPR; Art. 28(2) DSA
#   source: law.md SPC-06
#   force: binding
#   sdm: Nichtverkettung
deny contains "SPC-06" if {
	input.purpose in {"personalisation_content", "ads_third_party", "model_training"}
	input.age == "16_17"
}
