# METADATA
# scope: package
# title: Personalise
# description: |
#   How a content variant may be chosen: by profile, with consent; by the page alone,
#   without an id; or not at all, which is the default variant. First comes who may
#   take part at all: stock, locale, log-in, reviewed patterns, legal blocks. Only a
#   registered test draws, and minors, objectors and who said no are never drawn.
# schemas:
#   - input: schema.variant
package personalise

import data.standing

# METADATA
# title: Verdict on a choice
# entrypoint: true
verdict := {"mode": mode, "sticky": sticky, "eligible": eligible, "rules": rules}

# METADATA
# title: Mode
# description: The default variant, unless a rule below says more.
default mode := "default"

mode := "profile" if _by_profile

mode := "contextual" if {
	input.switch_on == true
	not _by_profile
	not _stays_out
}

# Who leaves tests or took consent back gets the default, not a draw (VAR-03, T11).
_stays_out if "VAR-03" in limit

_stays_out if input.consent.status == "withdrawn"

_stays_out if count(withheld) > 0

_said_no_to_tests if input.experiment.status in {"refused", "withdrawn"}

# Nothing speaks against it: VAR-01 and CON-08 see to the consent.
_by_profile if {
	input.switch_on == true
	input.uses_profile == true
	count(deny) == 0
	count(withheld) == 0
}

# METADATA
# title: Sticky
# description: Whether the same visitor may be recognised to get the same variant again.
default sticky := false

sticky if {
	mode != "default"
	count(limit) == 0
}

# METADATA
# title: Eligible variants
# description: The ids of the variants that may be shown to this visitor at all.
eligible contains candidate.id if {
	mode != "default"
	some candidate in input.candidates
	not candidate.id in _unfit
}

eligible contains candidate.id if {
	mode == "default"
	some candidate in input.candidates
	candidate.default == true
	not left_out[candidate.id]
}

_unfit contains id if some id, _ in left_out

_unfit contains candidate.id if {
	some candidate in input.candidates
	not candidate.default == true
	not _fits(candidate)
}

_fits(candidate) if {
	candidate.locale_ok == true
	candidate.stock_ok == true
	_login_ok(candidate)
}

_login_ok(candidate) if candidate.needs_login == false

_login_ok(_) if input.logged_in == true

rules := ((_profile_denied | limit) | _left_out_by) | withheld

_left_out_by contains id if {
	some ids in left_out
	some id in ids
}

_profile_denied := deny if input.uses_profile == true

_profile_denied := deny & {"SWITCH"} if not input.uses_profile == true

# METADATA
# title: Choosing by profile needs consent
# description: Without consent, the default or a variant chosen by the page alone, with the same functions.
# custom:
#   id: VAR-01
#   de: Inhalte nach Ihrem Verhalten zeigen wir nur mit Ihrer Einwilligung. Ohne sie sehen Sie neutrale Inhalte.
#   en: We show content by your behaviour only with your consent. Without it you see neutral content.
#   legal_basis: Art. 6(1)(a) GDPR; § 25 TDDDG
#   source: law.md VAR-01
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "VAR-01" if not _in_force

_in_force if input.consent.status in standing.in_force

# METADATA
# title: The consent is not in force
deny contains standing.refusal(input.consent.status)

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
deny contains "CON-08" if {
	_in_force
	not input.consent.proof_complete == true
}

# METADATA
# title: Fail closed
# description: A fact that is missing or of the wrong type refuses.
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
	input.age in {"unknown", "u16", "16_17", "adult"}
	is_boolean(input.restricted)
	is_boolean(input.uses_special)
	is_boolean(input.objected)
	is_string(input.slot_kind)
	is_array(input.segment_features)
	is_array(input.segment_tags)
}

# METADATA
# title: Switched off
# description: A person of the shop has switched variants off; everybody sees the default.
# custom:
#   id: SWITCH
#   de: Diese Funktion wurde vom Shop abgeschaltet.
#   en: The shop has switched this function off.
#   legal_basis: none; a decision of the shop
#   source: design.md, switches
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "SWITCH" if not input.switch_on == true

# METADATA
# title: A restricted visitor's data rests
# description: Restriction under Art. 18, or objection under Art. 21; no profile takes part.
# custom:
#   id: RGT-07
#   de: Sie haben die Verarbeitung einschränken lassen oder ihr widersprochen. Solange ruht sie.
#   en: You had the processing restricted or objected to it. Until that changes, it rests.
#   legal_basis: Art. 18, Art. 21 GDPR
#   source: law.md RGT-07
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "RGT-07" if input.restricted == true

deny contains "RGT-07" if input.objected == true

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
deny contains "SPC-05" if input.age == "u16"

# METADATA
# title: No profiling of minors for marketing
# description: At 16 and 17, contextual content only.
# custom:
#   id: SPC-06
#   de: Unter 18 Jahren gibt es bei uns keine Werbung und keine Inhalte nach Verhalten.
#   en: Under the age of 18 we show no advertising and no content by behaviour.
#   legal_basis: recitals 38 and 71 GDPR; Art. 28(2) DSA
#   source: law.md SPC-06
#   force: binding
#   sdm: Nichtverkettung
deny contains "SPC-06" if input.age == "16_17"

# METADATA
# title: Sensitive by inference
# description: A segment that could reveal something sensitive takes no part.
# custom:
#   id: SPC-01
#   de: Das könnte etwas Sensibles über Sie verraten, etwa zur Gesundheit. Ohne Ihr ausdrückliches Ja bleibt es außen vor.
#   en: This could reveal something sensitive about you, such as your health. Without your explicit yes it is left out.
#   legal_basis: Art. 9(1), Art. 4(15) GDPR
#   source: law.md SPC-01
#   force: binding
#   sdm: Vertraulichkeit
deny contains "SPC-01" if input.uses_special == true

# METADATA
# title: Proxies and hidden inference
# description: A segment whose condition reads a proxy chooses nothing.
# custom:
#   id: SPC-04
#   de: Merkmale, die verdeckt auf Herkunft, Glauben oder Wohnort schließen lassen, steuern bei uns nichts.
#   en: Features that secretly stand for origin, faith or place of living steer nothing here.
#   legal_basis: Art. 5(1)(a), Art. 9 GDPR; § 19 AGG
#   source: law.md SPC-04
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "SPC-04" if {
	some word in _words
	word in standing.proxies
}

# METADATA
# title: No exploitation of a weakness, no inference of feelings
# description: A segment whose condition reads a sign of weakness or feeling chooses nothing.
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
	some word in _words
	word in standing.weaknesses
}

_words := {tag | some tag in input.segment_tags} | standing.words(input.segment_features)

# METADATA
# title: A shown price follows no profile
# description: What price is displayed is not steered by personal data.
# custom:
#   id: VAR-06
#   de: Inhalte tauschen wir nur in einem eingetragenen, befristeten Test per Los aus, und Preise zeigen wir nicht nach Ihrem Verhalten.
#   en: We swap contents by lot only in a registered test with an end, and we show no prices by your behaviour.
#   legal_basis: Art. 5(2), Art. 25 GDPR
#   source: law.md VAR-06
#   force: voluntary
#   sdm: Transparenz
#   since: "2"
deny contains "VAR-06" if input.slot_kind == "price_display"

# METADATA
# title: Only a registered test draws
# description: |
#   A slot draws only while its test is registered and running, or says why its
#   draw is no test. Otherwise everybody sees the default.
# custom:
#   id: VAR-06
#   de: Inhalte tauschen wir nur in einem eingetragenen, befristeten Test per Los aus, und Preise zeigen wir nicht nach Ihrem Verhalten.
#   en: We swap contents by lot only in a registered test with an end, and we show no prices by your behaviour.
#   legal_basis: Art. 5(2), Art. 25 GDPR
#   source: law.md VAR-06
#   force: voluntary
#   sdm: Transparenz
#   since: "2"
withheld contains "VAR-06" if not _in_a_test

_in_a_test if input.test.exempt == true

_in_a_test if {
	input.test.registered == true
	input.test.running == true
}

# METADATA
# title: No test is won by consent
# description: A test that is decided by the share of yeses would learn to deceive.
# custom:
#   id: VAR-04
#   de: Eine Variante mit irreführender Gestaltung zeigen wir nicht.
#   en: We do not show a variant with a deceptive design.
#   legal_basis: EDPB Guidelines 03/2022; Art. 25 DSA
#   source: law.md VAR-04
#   force: guidance
#   sdm: Transparenz
withheld contains "VAR-04" if "consent_rate" in input.test.metrics

# METADATA
# title: Significance
# description: |
#   A choice of content has none. Where the shop classes it as significant it needs a
#   ground of Art. 22(2), an adult, and nothing sensitive.
# custom:
#   id: ADM-01
#   de: Entscheidungen, die Sie erheblich treffen, überlassen wir keiner Maschine, wenn das Gesetz es nicht erlaubt.
#   en: We leave no decision that affects you significantly to a machine unless the law allows it.
#   legal_basis: Art. 22 GDPR
#   source: law.md ADM-01
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
withheld contains "ADM-01" if not _for_a_machine

_for_a_machine if input.significance in standing.mild

_for_a_machine if {
	input.significance == "significant"
	input.art22_ground in standing.grounds
	input.age == "adult"
	input.uses_special == false
}

# METADATA
# title: Assignment without a trace
# description: |
#   Recognising a visitor for a test needs consent for experimentation. Without it
#   every request is drawn anew.
# custom:
#   id: VAR-02
#   de: Ohne Ihre Einwilligung in Tests losen wir bei jedem Aufruf neu und merken uns nichts.
#   en: Without your consent to tests we draw anew at each request and remember nothing.
#   legal_basis: § 25 TDDDG
#   source: law.md VAR-02
#   force: binding
#   sdm: Nichtverkettung
limit contains "VAR-02" if not _experiment_proven

_experiment_proven if {
	input.experiment.status in standing.in_force
	input.experiment.proof_complete == true
}

# METADATA
# title: Who said no, minors and restricted visitors leave tests
# custom:
#   id: VAR-03
#   de: Minderjährige und alle, die Nein gesagt oder widersprochen haben, nehmen an Tests nicht teil.
#   en: Minors and everybody who said no or objected take no part in tests.
#   legal_basis: Art. 21(1), Art. 7(3) GDPR
#   source: law.md VAR-03
#   force: binding
#   sdm: Intervenierbarkeit
# description: They are never assigned and never counted.
limit contains "VAR-03" if not input.restricted == false

limit contains "VAR-03" if not input.objected == false

limit contains "VAR-03" if not _adult

limit contains "VAR-03" if _said_no_to_tests

_adult if input.age in {"unknown", "adult"}

# METADATA
# title: No deceptive pattern
# description: A variant that the review flagged leaves the pool.
# custom:
#   id: VAR-04
#   de: Eine Variante mit irreführender Gestaltung zeigen wir nicht.
#   en: We do not show a variant with a deceptive design.
#   legal_basis: EDPB Guidelines 03/2022; Art. 25 DSA
#   source: law.md VAR-04
#   force: guidance
#   sdm: Transparenz
left_out[candidate.id] contains "VAR-04" if {
	some candidate in input.candidates
	not candidate.pattern_flags == []
}

# METADATA
# title: Consent banners compared are all fair
# description: In a test of consent UIs each variant lets refuse as easily as accept (CON-06).
# custom:
#   id: VAR-04
#   de: Eine Variante mit irreführender Gestaltung zeigen wir nicht.
#   en: We do not show a variant with a deceptive design.
#   legal_basis: EDPB Guidelines 03/2022; Art. 25 DSA
#   source: law.md VAR-04
#   force: guidance
#   sdm: Transparenz
left_out[candidate.id] contains "VAR-04" if {
	input.slot_kind == "consent_ui"
	some candidate in input.candidates
	not candidate.ui_fair == true
}

# METADATA
# title: Environmental claims are proven
# description: A variant that says "climate neutral" without naming its proof leaves the pool.
# custom:
#   id: VAR-05
#   de: Eine Variante, der Pflichtangaben fehlen, zeigen wir nicht.
#   en: We do not show a variant that lacks mandatory information.
#   legal_basis: § 356a BGB; §§ 312j, 312k BGB; DDG
#   source: law.md VAR-05
#   force: binding
#   sdm: Transparenz
left_out[candidate.id] contains "VAR-05" if {
	some candidate in input.candidates
	not _claims_proven(candidate)
}

_claims_proven(candidate) if {
	every claim in candidate.claims { claim.proof_id != "" }
}

# METADATA
# title: Legal blocks are always there
# description: A variant without withdrawal function, imprint, privacy link or human contact leaves the pool.
# custom:
#   id: VAR-05
#   de: Eine Variante, der Pflichtangaben fehlen, zeigen wir nicht.
#   en: We do not show a variant that lacks mandatory information.
#   legal_basis: § 356a BGB; §§ 312j, 312k BGB; DDG
#   source: law.md VAR-05
#   force: binding
#   sdm: Transparenz
left_out[candidate.id] contains "VAR-05" if {
	some candidate in input.candidates
	not candidate.missing_legal_blocks == false
}

# METADATA
# title: Ordering as a guest stays possible
# description: A variant that takes the order without an account away leaves the pool.
# custom:
#   id: LAW-07
#   de: Eine Variante, die das Bestellen ohne Kundenkonto versteckt, zeigen wir nicht.
#   en: We do not show a variant that hides ordering without an account.
#   legal_basis: Art. 5(1)(c), Art. 25 GDPR; EDPB Recommendations 2/2025
#   source: law.md LAW-07
#   force: guidance
#   sdm: Datenminimierung
#   since: "2"
left_out[candidate.id] contains "LAW-07" if {
	some candidate in input.candidates
	not candidate.hides_guest_order == false
}
