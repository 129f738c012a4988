# METADATA
# scope: package
# title: Consent
# description: |
#   Which yeses of a consent call stand. A no always stands and needs no rule. A yes
#   falls if it was not an active choice, was not shown, came from an unfair banner,
#   or contradicts what the browser or the banner's own strings say.
# schemas:
#   - input: schema.consent
package consent

# METADATA
# title: Verdict on a consent call
# entrypoint: true
verdict := {"given": given, "refused": refused, "rules": rules}

# METADATA
# title: Yeses that stand
given contains purpose if {
	some purpose in _yeses
	_affirmed
	input.default_state == "off"
	purpose in _gated
	not refused[purpose]
}

_yeses contains purpose if input.asked[purpose] == true

_affirmed if input.method in {"accept", "save", "individual_notice"}

_gated := (_special | _person) | {
	"analytics",
	"experimentation",
	"personalisation_content",
	"adviser_assist",
	"recording_av",
	"ads_third_party",
	"data_sharing",
	"model_training",
}

_person := {"personalised_price", "marketing_email", "marketing_sms", "marketing_push", "marketing_phone"}

_special := {
	"special_category:health",
	"special_category:pregnancy",
	"special_category:sexuality",
	"special_category:religion",
	"special_category:politics",
	"special_category:union",
	"special_category:ethnicity",
	"special_category:biometrics",
}

rules := {id |
	some ids in refused
	some id in ids
}

# METADATA
# title: Only a clear affirmative act counts
# description: Scrolling, dismissing, ticking nothing off, and scripts are no consent.
# custom:
#   id: CON-04
#   de: Nur eine aktive Auswahl gilt als Ja. Schließen, Weitersurfen oder ein vorausgewähltes Feld zählen nicht.
#   en: Only an active choice counts as a yes. Closing, browsing on or a pre-ticked box do not.
#   legal_basis: Art. 4(11), recital 32 GDPR
#   source: law.md CON-04
#   force: binding
#   sdm: Intervenierbarkeit
refused[purpose] contains "CON-04" if {
	some purpose in _yeses
	not _affirmed
}

refused[purpose] contains "CON-04" if {
	some purpose in _yeses
	not input.default_state == "off"
}

# METADATA
# title: One purpose, one decision
# description: Accepting all covers the purposes that were shown, and no other.
# custom:
#   id: CON-05
#   de: Dieser Zweck wurde Ihnen nicht gezeigt. Ihr Ja gilt nur für das, was Sie sehen konnten.
#   en: This purpose was not shown to you. Your yes covers only what you could see.
#   legal_basis: Art. 6(1)(a), Art. 7(2), recital 43 GDPR
#   source: law.md CON-05
#   force: binding
#   sdm: Nichtverkettung
refused[purpose] contains "CON-05" if {
	some purpose in _yeses
	not purpose in input.purposes_shown
}

# METADATA
# title: Refusing must be as easy as accepting
# description: The first layer of the banner had no equally prominent way to refuse.
# custom:
#   id: CON-06
#   de: Diese Einwilligung ist ungültig, weil Ablehnen nicht so einfach war wie Zustimmen. Wir nutzen sie nicht.
#   en: This consent is invalid because refusing was not as easy as accepting. We do not use it.
#   legal_basis: Art. 4(11), Art. 7 GDPR; § 25 TDDDG
#   source: law.md CON-06
#   force: contested
#   sdm: Intervenierbarkeit
refused[purpose] contains "CON-06" if {
	some purpose in _yeses
	not input.reject_equal == true
}

refused[purpose] contains "CON-06" if {
	some purpose in _yeses
	not input.reject_first_layer == true
}

refused[purpose] contains "CON-06" if {
	some purpose in _yeses
	not input.equal_prominence == true
}

refused[purpose] contains "CON-06" if {
	some purpose in _yeses
	input.accept_clicks > 0
	input.reject_clicks > input.accept_clicks
}

# METADATA
# title: Withdrawing must be as easy as giving
# description: The control counts more clicks to take a yes back than to give it.
# custom:
#   id: CON-10
#   de: Das Zurücknehmen war hier umständlicher als das Zustimmen. Ein solches Ja nutzen wir nicht.
#   en: Taking back was harder here than agreeing. We do not use such a yes.
#   legal_basis: Art. 7(3) GDPR
#   source: law.md CON-10
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
refused[purpose] contains "CON-10" if {
	some purpose in _yeses
	input.accept_clicks > 0
	input.withdraw_clicks > input.accept_clicks
}

# METADATA
# title: Every processing has a registered purpose with one basis
# description: The register does not let the purpose run (package processing). Nobody may be asked for it, and no yes to it counts.
# custom:
#   id: LAW-01
#   de: Dieser Zweck steht nicht vollständig im Verzeichnis der Verarbeitungstätigkeiten. Ein Ja dazu nutzen wir nicht.
#   en: This purpose is not wholly entered in the record of processing activities. We do not use a yes to it.
#   legal_basis: Art. 5(1)(a), Art. 5(1)(b), Art. 6(1), Art. 30 GDPR
#   source: law.md LAW-01
#   force: binding
#   sdm: Transparenz
#   since: "2"
refused[purpose] contains "LAW-01" if {
	some purpose in _yeses
	purpose in input.unregistered
}

# METADATA
# title: Informed
# description: The notice shown does not name everything it must.
# custom:
#   id: CON-09
#   de: Der gezeigte Hinweis war unvollständig. Ein Ja dazu können wir nicht nutzen.
#   en: The notice shown was incomplete. We cannot use a yes to it.
#   legal_basis: Art. 13, Art. 7(3) GDPR
#   source: law.md CON-09
#   force: binding
#   sdm: Transparenz
refused[purpose] contains "CON-09" if {
	some purpose in _yeses
	not input.notice_complete == true
}

refused[purpose] contains "CON-09" if {
	some purpose in _yeses
	some element in _elements
	not element in input.notice_elements
}

_elements := {"controller", "purposes", "data", "recipients", "duration", "transfers", "withdrawal"}

# METADATA
# title: Fail closed
# description: A purpose that does not exist, or does not rest on consent, cannot be granted. Nor can a broken signal be read as a yes.
# custom:
#   id: CON-11
#   de: Diese Angabe können wir nicht eindeutig als Einwilligung lesen. Im Zweifel gilt Nein.
#   en: We cannot clearly read this as consent. When in doubt, it is a no.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
refused[purpose] contains "CON-11" if {
	some purpose in _yeses
	not purpose in _gated
}

# A fact that is missing or of the wrong type refuses.
refused[purpose] contains "CON-11" if {
	some purpose in _yeses
	not _complete
}

_complete if {
	is_array(input.purposes_shown)
	is_array(input.notice_elements)
	is_array(input.unregistered)
	is_number(input.accept_clicks)
	is_number(input.reject_clicks)
	is_number(input.withdraw_clicks)
	is_boolean(input.gpc)
	is_object(input.tcf)
	is_object(input.gpp)
	input.age in {"unknown", "u16", "16_17", "adult"}
}

# METADATA
# title: Scope of a decision
# description: Prices and messages concern the person, so the decision needs the person's account.
# custom:
#   id: CON-14
#   de: Diese Entscheidung gilt der Person, nicht dem Gerät. Dafür müssen Sie angemeldet sein.
#   en: This decision is about the person, not the device. You must be signed in for it.
#   legal_basis: § 25 TDDDG; Art. 4(11) GDPR
#   source: law.md CON-14
#   force: binding
#   sdm: Nichtverkettung
refused[purpose] contains "CON-14" if {
	some purpose in _yeses
	purpose in _person
	not input.scope == "account"
}

# METADATA
# title: Global Privacy Control blocks sharing
# description: The browser objects to sharing with others while the call says yes to it.
# custom:
#   id: SIG-02
#   de: Ihr Browser sendet Global Privacy Control. An andere geben wir deshalb nichts weiter.
#   en: Your browser sends Global Privacy Control. So we pass nothing on to others.
#   legal_basis: Art. 21(5) GDPR
#   source: law.md SIG-02
#   force: contested
#   sdm: Intervenierbarkeit
refused[purpose] contains "SIG-02" if {
	some purpose in _yeses
	purpose in {"ads_third_party", "data_sharing"}
	_gpc_stands
}

_gpc_stands if {
	input.gpc == true
	not _lifted
}

_lifted if {
	input.conflict_shown == true
	_chosen_by_itself
}

_chosen_by_itself if input.method in {"save", "individual_notice"}

# METADATA
# title: The most restrictive signal wins
# description: |
#   A yes that the banner's own strings contradict, or the browser's signal, falls. Only
#   a choice for the purpose, made after the conflict was shown, lifts the browser's.
# custom:
#   id: SIG-04
#   de: Ihre Signale widersprechen sich. Dann gilt das strengere.
#   en: Your signals contradict each other. Then the stricter one applies.
#   legal_basis: Art. 7(3), Art. 21, Art. 25(2) GDPR
#   source: law.md SIG-04
#   force: voluntary
#   sdm: Intervenierbarkeit
refused[purpose] contains "SIG-04" if {
	some purpose in _yeses
	purpose in {"ads_third_party", "data_sharing"}
	_gpc_stands
}

refused[purpose] contains "SIG-04" if {
	some purpose in _yeses
	input.tcf[purpose] == "no"
}

refused[purpose] contains "SIG-04" if {
	some purpose in _yeses
	input.gpp[purpose] == "no"
}

# METADATA
# title: A TC string must be valid
# description: An undecodable, future-dated or incomplete string refuses the purposes it touches.
# custom:
#   id: SIG-05
#   de: Das Einwilligungssignal des Banners war nicht lesbar. Die betroffenen Zwecke bleiben aus.
#   en: The banner's consent signal could not be read. The purposes concerned stay off.
#   legal_basis: Art. 25(2), Art. 7(1) GDPR
#   source: law.md SIG-05
#   force: guidance
#   sdm: Integrität
refused[purpose] contains "SIG-05" if {
	some purpose in _yeses
	said := input.tcf[purpose]
	not said in {"yes", "no"}
}

# METADATA
# title: What a GPP string cannot grant
# description: A header that does not match its sections makes the whole string invalid.
# custom:
#   id: SIG-08
#   de: Das Signal des Banners war in sich nicht stimmig. Die betroffenen Zwecke bleiben aus.
#   en: The banner's signal was not consistent in itself. The purposes concerned stay off.
#   legal_basis: Art. 25(2), Art. 7(1) GDPR
#   source: law.md SIG-08
#   force: binding
#   sdm: Integrität
refused[purpose] contains "SIG-08" if {
	some purpose in _yeses
	said := input.gpp[purpose]
	not said in {"yes", "no"}
}

# METADATA
# title: Explicit means chosen by itself
# description: A sensitive category is granted by its own switch, not by accepting all.
# custom:
#   id: SPC-03
#   de: Sensible Angaben brauchen eine eigene, ausdrückliche Auswahl. "Alle akzeptieren" reicht dafür nicht.
#   en: Sensitive details need an explicit choice of their own. "Accept all" is not enough.
#   legal_basis: Art. 9(2)(a) GDPR; Art. 26(3) DSA
#   source: law.md SPC-03
#   force: binding
#   sdm: Intervenierbarkeit
refused[purpose] contains "SPC-03" if {
	some purpose in _yeses
	purpose in _special
	not _chosen_by_itself
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
refused[purpose] contains "SPC-05" if {
	some purpose in _yeses
	input.age == "u16"
	not input.parental == true
}
