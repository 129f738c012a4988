# METADATA
# scope: package
# title: Escalate
# description: |
#   The offer ladder: nothing, then a hint, then a human. A visitor who asks for a
#   human gets one. A proactive offer needs consent, need, a hint that did not
#   help, an open and free channel, and is never shown again after it was closed.
#   It is made by a machine, which says so; no proxy and no weakness may steer it.
#   Value is in the input for the record; no rule reads it.
# schemas:
#   - input: schema.escalate
package escalate

import data.standing

# METADATA
# title: Verdict on an offer
# entrypoint: true
verdict := {"offer": offer, "hint": hint, "channels": channels, "held_out": held_out, "rules": rules}

# METADATA
# title: Offer
# description: none, unless a rule below says hint or human.
default offer := "none"

offer := "human" if {
	_asked
	count(_reachable) > 0
} else := "human" if {
	_wants_human
	count(limit) == 0
} else := "hint" if {
	_needy
	not held_out
	count(tired) == 0
}

default channels := []

channels := _reachable if offer == "human"

# The open channels whose vendor waits for the visitor's click (ESC-02).
_reachable := [channel |
	some channel in input.open_channels
	not channel in input.preloaded_channels
]

# METADATA
# title: Held out
# description: Would have been a human, but for the random comparison group.
default held_out := false

held_out if {
	_wants_human
	limit == {"OFFER-HOLDOUT"}
}

# METADATA
# title: Kind of hint
# description: Size trouble gets the size guide, searching in vain gets search help, anything else gets filters.
default hint := ""

hint := "size_guide" if {
	offer == "hint"
	_unsure_of_size
} else := "search_help" if {
	offer == "hint"
	_does_not_find
} else := "filter" if {
	offer == "hint"
}

_unsure_of_size if input.features.size_guide_opens > 0

_unsure_of_size if input.features.variant_flips_max > 1

_does_not_find if input.features.searches_zero_results > 0

_does_not_find if input.features.search_reformulations > 0

rules := because | _against

default _against := set()

_against := limit & {"OFFER-HOURS", "ESC-02"} if {
	_asked
	offer == "none"
} else := deny if {
	not _asked
	count(deny) > 0
} else := limit | tired if {
	_wants_human
	offer != "human"
} else := tired if {
	_needy
	offer == "none"
}

_asked if input.asked == true

_in_force if input.consent.status in standing.in_force

# Nobody asked, and nothing speaks against it: ESC-01 and CON-08 see to the consent.
_proactive if {
	not _asked
	count(deny) == 0
}

_needy if {
	_proactive
	input.need >= input.need_hint
}

_wants_human if {
	_needy
	input.need >= input.need_human
}

# METADATA
# title: Who asks for a human gets one
# description: |
#   Irrespective of score, consent, value and switch, whenever a channel is open. The
#   score only ever ranks offers that nobody asked for.
# custom:
#   id: ESC-03
#   de: Sie haben um einen Menschen gebeten. Das geht immer, ohne Einwilligung und ohne Bewertung.
#   en: You asked for a human. That always works, without consent and without any score.
#   legal_basis: Art. 22, Art. 5(1)(a) GDPR
#   source: law.md ESC-03
#   force: binding
#   sdm: Intervenierbarkeit
because contains "ESC-03" if _asked

# METADATA
# title: Basis for the offer
# description: An offer that follows from behaviour rests on consent for adviser_assist, and on nothing else.
# custom:
#   id: ESC-01
#   de: Beratung wegen Ihres Verhaltens bieten wir nur mit Ihrem Ja an.
#   en: Advice because of your behaviour is offered only with your yes.
#   legal_basis: Art. 6(1)(a) GDPR; § 25 TDDDG
#   source: law.md ESC-01
#   force: binding
#   sdm: Intervenierbarkeit
because contains "ESC-01" if _needy

# METADATA
# title: Need for a human
# description: The need score reached the threshold for a human.
# custom:
#   id: OFFER-NEED-HUMAN
#   de: Ihr Besuch sieht so aus, als könnte ein Gespräch mit einem Menschen helfen.
#   en: Your visit looks as if talking to a human could help.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Transparenz
because contains "OFFER-NEED-HUMAN" if {
	_wants_human
	offer == "human"
}

# METADATA
# title: Need for a hint
# description: The need score reached the threshold for a hint.
# custom:
#   id: OFFER-NEED-HINT
#   de: Ihr Besuch sieht so aus, als könnte ein kleiner Hinweis helfen.
#   en: Your visit looks as if a small hint could help.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Transparenz
because contains "OFFER-NEED-HINT" if offer == "hint"

# METADATA
# title: No need seen
# description: The need score is below the threshold for a hint, so the visitor is left alone.
# custom:
#   id: OFFER-NEED
#   de: Wir sahen keinen Anlass für ein Angebot und lassen Sie in Ruhe.
#   en: We saw no occasion for an offer and leave you alone.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Datenminimierung
because contains "OFFER-NEED" if {
	_proactive
	not _needy
}

# METADATA
# title: No basis for the offer
# description: Without consent for adviser_assist there is no proactive offer.
# custom:
#   id: ESC-01
#   de: Beratung wegen Ihres Verhaltens bieten wir nur mit Ihrem Ja an.
#   en: Advice because of your behaviour is offered only with your yes.
#   legal_basis: Art. 6(1)(a) GDPR; § 25 TDDDG
#   source: law.md ESC-01
#   force: binding
#   sdm: Intervenierbarkeit
deny contains "ESC-01" if not _in_force

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
	is_boolean(input.objected)
	is_boolean(input.special)
	is_boolean(input.dismissed_in_session)
	is_number(input.seconds_since_dismissed)
	is_number(input.dismissed_for_seconds)
	is_number(input.seconds_since_offer)
	is_number(input.min_gap_seconds)
	is_boolean(input.exact_article)
	is_boolean(input.in_show)
	is_string(input.product_class)
	is_number(input.hints_shown)
	is_array(input.open_channels)
	is_number(input.expected_gain_cents)
	is_number(input.adviser_cost_cents)
	is_boolean(input.holdout)
	is_array(input.preloaded_channels)
	is_array(input.feature_tags)
	is_object(input.features)
}

# METADATA
# title: Switched off
# description: A person of the shop has switched proactive offers off.
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
# description: Restriction under Art. 18, or objection under Art. 21.
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
# title: Sensitive by inference
# description: No offer because of a product that could reveal something sensitive.
# custom:
#   id: SPC-01
#   de: Das könnte etwas Sensibles über Sie verraten, etwa zur Gesundheit. Ohne Ihr ausdrückliches Ja bleibt es außen vor.
#   en: This could reveal something sensitive about you, such as your health. Without your explicit yes it is left out.
#   legal_basis: Art. 9(1), Art. 4(15) GDPR
#   source: law.md SPC-01
#   force: binding
#   sdm: Vertraulichkeit
deny contains "SPC-01" if input.special == true

# METADATA
# title: Proxies and hidden inference
# description: |
#   Nothing that stands for origin, faith or place may say who is offered a human:
#   neither a feature that the catalogue or the shop tagged so, nor one named so.
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
# description: |
#   No sign of distress, age-related weakness or feeling may bring an offer.
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

_words := {tag | some tag in input.feature_tags} | standing.words(object.keys(input.features))

# METADATA
# title: A machine says that it is one
# description: An offer or a hint of a machine carries the words that say so, in both languages.
# custom:
#   id: ESC-05
#   de: Wenn ein Programm mit Ihnen spricht, sagt es das, zu Beginn und wieder bei der Übergabe.
#   en: When a machine speaks to you it says so, at the start and again on hand-over.
#   legal_basis: Art. 50(1) AI Act; § 5 UWG
#   source: law.md ESC-05
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "ESC-05" if not _disclosed

_disclosed if input.speaker == "human"

_disclosed if {
	input.speaker == "machine"
	input.disclosed == true
}

# METADATA
# title: Significance
# description: |
#   An offer is of low significance. Where the shop classes it as significant it
#   needs a ground of Art. 22(2), an adult, and nothing sensitive; who asks for a
#   human reaches one in any case.
# custom:
#   id: ADM-01
#   de: Entscheidungen, die Sie erheblich treffen, überlassen wir keiner Maschine, wenn das Gesetz es nicht erlaubt.
#   en: We leave no decision that affects you significantly to a machine unless the law allows it.
#   legal_basis: Art. 22 GDPR
#   source: law.md ADM-01
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
deny contains "ADM-01" if not _for_a_machine

_for_a_machine if input.significance in standing.mild

_for_a_machine if {
	input.significance == "significant"
	input.art22_ground in standing.grounds
	input.age == "adult"
	input.special == false
}

# METADATA
# title: Closed stays closed
# description: A dismissed offer is not repeated in the session, nor for the configured days.
# custom:
#   id: OFFER-CLOSED
#   de: Sie haben ein Angebot geschlossen. Geschlossen bleibt geschlossen.
#   en: You closed an offer. Closed stays closed.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Intervenierbarkeit
deny contains "OFFER-CLOSED" if input.dismissed_in_session == true

deny contains "OFFER-CLOSED" if {
	input.seconds_since_dismissed >= 0
	input.seconds_since_dismissed < input.dismissed_for_seconds
}

# METADATA
# title: Not too often
# description: Two offers keep the configured distance.
# custom:
#   id: OFFER-CAP
#   de: Ein Angebot ist noch nicht lange her. Wir wollen Sie nicht bedrängen.
#   en: It is not long since the last offer. We do not want to press you.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Datenminimierung
deny contains "OFFER-CAP" if {
	input.seconds_since_offer >= 0
	input.seconds_since_offer < input.min_gap_seconds
}

# METADATA
# title: Hints are few
# description: After three hints in a session there is no fourth.
# custom:
#   id: OFFER-CAP
#   de: Ein Angebot ist noch nicht lange her. Wir wollen Sie nicht bedrängen.
#   en: It is not long since the last offer. We do not want to press you.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Datenminimierung
tired contains "OFFER-CAP" if input.hints_shown >= 3

# METADATA
# title: Who knows what they want is left alone
# description: The last search was exactly an article number.
# custom:
#   id: OFFER-EXACT
#   de: Sie haben gezielt nach einem Artikel gesucht. Da stören wir nicht.
#   en: You searched for exactly one article. We do not interrupt.
#   legal_basis: none; design rule
#   source: requirements R36
#   force: voluntary
#   sdm: Datenminimierung
deny contains "OFFER-EXACT" if input.exact_article == true

# METADATA
# title: Silent in live shows
# description: No offer to one visitor inside a show for many.
# custom:
#   id: OFFER-SHOW
#   de: Während einer Live-Show machen wir keine Angebote.
#   en: During a live show we make no offers.
#   legal_basis: none; design rule
#   source: requirements R16
#   force: voluntary
#   sdm: Datenminimierung
deny contains "OFFER-SHOW" if input.in_show == true

# METADATA
# title: Simple products stay automated
# description: A simple product never brings a proactive human.
# custom:
#   id: OFFER-SIMPLE
#   de: Bei einfachen Produkten bieten wir von uns aus kein Gespräch an. Fragen können Sie jederzeit.
#   en: For simple products we do not offer a conversation of our own accord. You can always ask.
#   legal_basis: none; design rule
#   source: requirements R9
#   force: voluntary
#   sdm: Datenminimierung
limit contains "OFFER-SIMPLE" if input.product_class == "simple"

# METADATA
# title: First a hint
# description: |
#   A human is offered only after a hint was shown and the visitor went on without
#   finding, unless the product's class demands a human.
# custom:
#   id: OFFER-HINT-FIRST
#   de: Erst versuchen wir es mit einem Hinweis, dann mit einem Gespräch.
#   en: First we try a hint, then a conversation.
#   legal_basis: none; design rule
#   source: requirements R7
#   force: voluntary
#   sdm: Datenminimierung
limit contains "OFFER-HINT-FIRST" if {
	not _class_demands_a_human
	not _hint_failed
}

_class_demands_a_human if input.product_class in {"premium", "complex", "contract"}

_hint_failed if {
	input.hints_shown > 0
	input.events_after_hint > 0
}

# METADATA
# title: Only when somebody is there
# description: No channel to a human is open now.
# custom:
#   id: OFFER-HOURS
#   de: Gerade ist kein Kanal zu einem Menschen geöffnet. Den Kontakt und die Zeiten finden Sie in der Antwort.
#   en: No channel to a human is open right now. Contact and opening hours are in the answer.
#   legal_basis: none; design rule
#   source: requirements R10
#   force: voluntary
#   sdm: Verfügbarkeit
limit contains "OFFER-HOURS" if not input.hours_open == true

limit contains "OFFER-HOURS" if count(input.open_channels) == 0

# METADATA
# title: Chat and video load on demand
# description: |
#   A channel whose vendor the shop loads before the visitor opens it is not offered.
# custom:
#   id: ESC-02
#   de: Fremde Chat- und Videodienste laden wir erst, wenn Sie den Kanal öffnen.
#   en: Chat and video services of others load only when you open the channel.
#   legal_basis: § 25 TDDDG
#   source: law.md ESC-02
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
limit contains "ESC-02" if {
	count(input.open_channels) > 0
	count(_reachable) == 0
}

# METADATA
# title: Only with free capacity
# description: Every available adviser is busy, or none is available.
# custom:
#   id: OFFER-CAPACITY
#   de: Gerade ist niemand frei, der Sie beraten könnte.
#   en: Nobody is free to advise you right now.
#   legal_basis: none; design rule
#   source: requirements R10
#   force: voluntary
#   sdm: Verfügbarkeit
limit contains "OFFER-CAPACITY" if not _free

_free if input.capacity > 0

# METADATA
# title: Worth an adviser's time
# description: The expected gain is known and smaller than the adviser's cost.
# custom:
#   id: OFFER-COST
#   de: Ein Gespräch von uns aus lohnt sich hier nicht. Fragen können Sie jederzeit.
#   en: A conversation of our own accord does not pay here. You can always ask.
#   legal_basis: none; design rule
#   source: requirements R10
#   force: voluntary
#   sdm: Transparenz
limit contains "OFFER-COST" if {
	input.expected_gain_cents > 0
	input.expected_gain_cents < input.adviser_cost_cents
}

# METADATA
# title: Comparison group
# description: A random share of visitors is offered nothing, so that the effect of offers can be measured. Never when asked.
# custom:
#   id: OFFER-HOLDOUT
#   de: Per Los gehören Sie zu denen, denen wir gerade nichts anbieten, damit wir die Wirkung ehrlich messen. Fragen können Sie jederzeit.
#   en: By lot you are among those to whom we offer nothing for now, so that we can measure the effect honestly. You can always ask.
#   legal_basis: none; design rule
#   source: design.md, 11
#   force: voluntary
#   sdm: Transparenz
limit contains "OFFER-HOLDOUT" if input.holdout == true
