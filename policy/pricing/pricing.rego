# METADATA
# scope: package
# title: Pricing
# description: |
#   Judges a price and the claim shown with it, apart: a forbidden claim leaves the
#   price, a forbidden price is answered with the list price. The lowest price of
#   the last 30 days and what follows from it are facts, computed in Go.
# schemas:
#   - input: schema.price
package pricing

import data.standing

# METADATA
# title: Verdict on a price
# entrypoint: true
verdict := {
	"price_allowed": price_allowed,
	"claim_allowed": claim_allowed,
	"disclosures": disclosures,
	"flags": flags,
	"rules": (deny_price | deny_claim),
}

# METADATA
# title: Price allowed
default price_allowed := false

price_allowed if {
	_bases[input.quote.basis]
	count(deny_price) == 0
}

# METADATA
# title: Claim allowed
# description: Saying nothing is always allowed.
default claim_allowed := false

claim_allowed if {
	_kind_known
	count(deny_claim) == 0
}

_bases := {"static", "dynamic_market", "personalised", "contract", "random_test"}

_kinds := {"percent", "strike", "highlight", "none", ""}

_inputs := {
	"hour", "weekday", "date", "stock", "cost", "competitor", "demand_aggregate", "expiry", "quantity", "basket_value",
	"contract", "membership", "delivery_vat",
}

_of_a_visitor := {"contract", "membership"}

_of_the_market := _inputs - _of_a_visitor

# METADATA
# title: Words to show with the price
disclosures contains "personalised_price" if input.quote.basis == "personalised"

# METADATA
# title: Flags for a person to look at
flags contains "moon_price_review" if {
	_claims
	input.facts.raised_before == true
}

# METADATA
# title: Fail closed
# description: A basis, a customer or an amount that we do not know cannot be judged.
# custom:
#   id: CON-11
#   de: Zu diesem Preis fehlen Angaben, oder wir verstehen sie nicht. Im Zweifel gilt der Listenpreis.
#   en: Details of this price are missing or not understood. When in doubt, the list price applies.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Integrität
deny_price contains "CON-11" if not _complete

_complete if {
	_bases[input.quote.basis]
	input.quote.customer in {"consumer", "business"}
	input.quote.list_cents > 0
	input.quote.offer_cents >= 0
	is_array(input.quote.inputs)
	is_boolean(input.regulated_price)
	is_boolean(input.special_product)
}

# METADATA
# title: Forbidden price inputs
# description: |
#   The inputs of a price are a closed list. Device, place, origin, behaviour, consent
#   and anything else is not on it, whatever its spelling.
# custom:
#   id: PRI-11
#   de: Gerät, Ort, Herkunft, Verhalten oder Einwilligung dürfen den Preis nicht bestimmen. Es gilt der Listenpreis.
#   en: Device, place, origin, behaviour or consent must not set the price. The list price applies.
#   legal_basis: §§ 1, 19, 20 AGG; Reg. (EU) 2018/302; Art. 9 GDPR; Art. 5(1)(b) AI Act
#   source: law.md PRI-11
#   force: binding
#   sdm: Nichtverkettung
deny_price contains "PRI-11" if {
	some name in input.quote.inputs
	not name in _inputs
}

# METADATA
# title: Dynamic means impersonal
# description: |
#   A price called dynamic follows the market alone, so that two visitors see the same
#   price at the same instant.
# custom:
#   id: PRI-09
#   de: Ein dynamischer Preis darf nur vom Markt abhängen, nicht von Ihnen. Es gilt der Listenpreis.
#   en: A dynamic price may depend on the market only, not on you. The list price applies.
#   legal_basis: recital 45 Dir. (EU) 2019/2161
#   source: law.md PRI-09
#   force: binding
#   sdm: Transparenz
deny_price contains "PRI-09" if {
	input.quote.basis == "dynamic_market"
	some name in input.quote.inputs
	not name in _of_the_market
}

# METADATA
# title: No price by place
# description: |
#   Whoever comes from wherever in the EU buys at the price of the storefront that they
#   chose. Only VAT and the cost of delivery may differ, so no price names a place.
# custom:
#   id: PRI-12
#   de: Wo Sie sind, wohnen oder herkommen, darf den Preis nicht bestimmen. Es gilt der Listenpreis dieses Shops.
#   en: Where you are, live or come from must not set the price. The list price of this storefront applies.
#   legal_basis: Reg. (EU) 2018/302, Art. 3 to 5
#   source: law.md PRI-12
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny_price contains "PRI-12" if "place" in input.quote.inputs

# METADATA
# title: The price shown holds, and is the whole price
# description: |
#   A price shown in the basket does not rise for 30 minutes, on no reload and no return, and
#   for consumers no fee comes on top at the checkout.
# custom:
#   id: PRI-13
#   de: Der gezeigte Preis gilt und ist der ganze Preis. Fristen und Vorräte, mit denen geworben wird, müssen für alle wahr sein.
#   en: The price shown holds and is the whole price. Deadlines and stocks that are advertised must be true for everybody.
#   legal_basis: §§ 3, 4 PAngV; Annex to § 3(3) UWG, no. 7
#   source: law.md PRI-13
#   force: binding
#   sdm: Integrität
#   since: "2"
deny_price contains "PRI-13" if not input.facts.rose == false

deny_price contains "PRI-13" if {
	input.quote.customer == "consumer"
	not input.quote.promises.fees_cents == 0
}

# METADATA
# title: A personalised price is disclosed
# description: If a price was personalised automatically, the shop says so at the price, per offer.
# custom:
#   id: PRI-08
#   de: Ein persönlicher Preis muss am Angebot als solcher gekennzeichnet sein. Das fehlt, also gilt der Listenpreis.
#   en: A personalised price must be marked as such at the offer. That is missing, so the list price applies.
#   legal_basis: Art. 246a § 1(1) no. 6 EGBGB; Art. 6(1)(ea) CRD
#   source: law.md PRI-08
#   force: binding
#   sdm: Transparenz
deny_price contains "PRI-08" if {
	input.quote.basis == "personalised"
	not input.quote.disclosure_shown == true
}

# METADATA
# title: Gate for personalised prices
# description: They need their own consent, go only below the list price, and not too far.
# custom:
#   id: PRI-10
#   de: Ein persönlicher Preis braucht Ihre Einwilligung und darf nur begrenzt unter dem Listenpreis liegen, nie darüber.
#   en: A personalised price needs your consent and may only be a limited step below the list price, never above it.
#   legal_basis: Art. 6(1)(a), Art. 22 GDPR
#   source: law.md PRI-10
#   force: binding
#   sdm: Intervenierbarkeit
deny_price contains "PRI-10" if {
	input.quote.basis == "personalised"
	not input.consent_given == true
}

deny_price contains "PRI-10" if {
	input.quote.basis == "personalised"
	not _modest
}

_modest if {
	input.quote.offer_cents <= input.quote.list_cents
	(input.quote.list_cents - input.quote.offer_cents) * 10000 <= input.quote.list_cents * data.settings.max_discount_bp
}

# METADATA
# title: Switched off
# description: Personalised prices are off by default, and need the configuration and the switch.
# custom:
#   id: SWITCH
#   de: Persönliche Preise sind in diesem Shop abgeschaltet. Es gilt der Listenpreis.
#   en: Personalised prices are switched off in this shop. The list price applies.
#   legal_basis: none; a decision of the shop
#   source: design.md, switches
#   force: voluntary
#   sdm: Intervenierbarkeit
deny_price contains "SWITCH" if {
	input.quote.basis == "personalised"
	not input.personalised_on == true
}

# METADATA
# title: Sensitive by inference
# description: No personalised price for a product that could reveal something sensitive.
# custom:
#   id: SPC-01
#   de: Für Artikel, die etwas Sensibles über Sie verraten könnten, gibt es keinen persönlichen Preis.
#   en: For items that could reveal something sensitive about you there is no personalised price.
#   legal_basis: Art. 9(1), Art. 4(15) GDPR
#   source: law.md SPC-01
#   force: binding
#   sdm: Vertraulichkeit
deny_price contains "SPC-01" if {
	input.quote.basis == "personalised"
	input.special_product == true
}

# METADATA
# title: Significance
# description: |
#   A personal discount is of low significance. Where the shop classes it as
#   significant it needs a ground of Art. 22(2).
# custom:
#   id: ADM-01
#   de: Entscheidungen, die Sie erheblich treffen, überlassen wir keiner Maschine, wenn das Gesetz es nicht erlaubt.
#   en: We leave no decision that affects you significantly to a machine unless the law allows it.
#   legal_basis: Art. 22 GDPR
#   source: law.md ADM-01
#   force: binding
#   sdm: Intervenierbarkeit
#   since: "2"
deny_price contains "ADM-01" if {
	input.quote.basis == "personalised"
	not _for_a_machine
}

_for_a_machine if input.significance in standing.mild

_for_a_machine if {
	input.significance == "significant"
	input.art22_ground in standing.grounds
}

# METADATA
# title: Price tests stay small and impersonal
# description: A randomised price stays below the list price, within the cap, and follows no input of a visitor.
# custom:
#   id: VAR-06
#   de: Ein zufälliger Testpreis darf nur begrenzt unter dem Listenpreis liegen und hängt nicht von Ihnen ab.
#   en: A random test price may only be a limited step below the list price and does not depend on you.
#   legal_basis: Art. 5(2), Art. 25 GDPR
#   source: law.md VAR-06
#   force: voluntary
#   sdm: Transparenz
deny_price contains "VAR-06" if {
	input.quote.basis == "random_test"
	not _modest
}

deny_price contains "VAR-06" if {
	input.quote.basis == "random_test"
	some name in input.quote.inputs
	name in _of_a_visitor
}

# METADATA
# title: Contract prices and fixed prices
# description: A contract price names its contract; books, prescription medicines and tobacco take no discount.
# custom:
#   id: PRI-15
#   de: Ein Vertragspreis braucht den genannten Vertrag, und preisgebundene Waren haben für alle denselben Preis.
#   en: A contract price needs the named contract, and goods with fixed prices cost the same for everybody.
#   legal_basis: BuchPrG; AMPreisV, § 129 SGB V; § 28 TabStG
#   source: law.md PRI-15
#   force: binding
#   sdm: Integrität
deny_price contains "PRI-15" if {
	input.quote.basis == "contract"
	not _contract_named
}

deny_price contains "PRI-15" if {
	input.regulated_price == true
	input.quote.offer_cents != input.quote.list_cents
}

_contract_named if {
	some reduction in input.quote.reductions
	reduction.kind == "contract"
	reduction.reference != ""
}

# METADATA
# title: Fail closed
# description: A kind of claim that we do not know is not shown.
# custom:
#   id: CON-11
#   de: Zu diesem Preis fehlen Angaben, oder wir verstehen sie nicht. Im Zweifel gilt der Listenpreis.
#   en: Details of this price are missing or not understood. When in doubt, the list price applies.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Integrität
deny_claim contains "CON-11" if not _kind_known

_kind_known if _kinds[input.quote.announcement.kind]

_claims if input.quote.announcement.kind in {"percent", "strike", "highlight"}

# The duty to show the lowest price: a claim to consumers about a reduction that is not exempt.
_must_show_low if {
	_claims
	not input.quote.customer == "business"
	not _exempt
}

_exempt if {
	some reduction in input.quote.reductions
	_reduction_exempt(reduction)
	every other in input.quote.reductions { _reduction_exempt(other) }
}

_reduction_exempt(reduction) if reduction.audience == "individual"

_reduction_exempt(reduction) if {
	reduction.kind == "short_dated"
	reduction.marked == true
}

# METADATA
# title: Every announced reduction shows the 30-day low
# description: Whoever announces a reduction states the lowest price of the 30 days before it.
# custom:
#   id: PRI-01
#   de: Wer mit einer Ermäßigung wirbt, muss den niedrigsten Preis der letzten 30 Tage nennen. Das fehlt hier.
#   en: Whoever advertises a reduction must state the lowest price of the last 30 days. That is missing here.
#   legal_basis: § 11(1) PAngV; Art. 6a Dir. 98/6/EC
#   source: law.md PRI-01
#   force: binding
#   sdm: Transparenz
deny_claim contains "PRI-01" if {
	_must_show_low
	not input.quote.announcement.label == "uvp"
	not _low_stated
}

_low_stated if {
	input.quote.announcement.label == "30d_low"
	input.quote.announcement.reference_cents > 0
}

# METADATA
# title: The advantage is calculated from that low
# description: Percentage, strike price and slogan are measured against the lowest price of the last 30 days.
# custom:
#   id: PRI-02
#   de: Der beworbene Vorteil stimmt nicht, gemessen am niedrigsten Preis der letzten 30 Tage.
#   en: The advertised advantage is not true, measured against the lowest price of the last 30 days.
#   legal_basis: § 11(1) PAngV; CJEU C-330/23
#   source: law.md PRI-02
#   force: binding
#   sdm: Transparenz
deny_claim contains "PRI-02" if {
	_must_show_low
	input.facts.covered == true
	not _true_to_low
}

_true_to_low if {
	input.quote.offer_cents < input.facts.low30_cents
	_reference_true
	_percent_true
}

_reference_true if input.quote.announcement.label != "30d_low"

_reference_true if input.quote.announcement.reference_cents in {0, input.facts.low30_cents}

_percent_true if input.quote.announcement.kind != "percent"

_percent_true if {
	input.quote.announcement.pct > 0
	input.quote.announcement.pct <= input.facts.max_pct
}

# METADATA
# title: The window must be known
# description: The history does not cover the 30 days before the reduction, so the low is unknown.
# custom:
#   id: PRI-03
#   de: Wir kennen nicht alle Preise der letzten 30 Tage. Deshalb wird die Ermäßigung nicht beworben.
#   en: We do not know all prices of the last 30 days. So the reduction is not advertised.
#   legal_basis: § 11(1) PAngV; Art. 6a(2) Dir. 98/6/EC
#   source: law.md PRI-03
#   force: binding
#   sdm: Integrität
deny_claim contains "PRI-03" if {
	_must_show_low
	not input.facts.covered == true
}

# METADATA
# title: Clear, not hidden
# description: A reference price without a label that says what it is makes a puzzle.
# custom:
#   id: PRI-04
#   de: Der Vergleichspreis sagt nicht klar, was er ist.
#   en: The price compared with does not say clearly what it is.
#   legal_basis: § 1(3) PAngV; BGH I ZR 183/24
#   source: law.md PRI-04
#   force: binding
#   sdm: Transparenz
deny_claim contains "PRI-04" if {
	_must_show_low
	not _labelled
	input.quote.announcement.reference_cents > 0
}

_labelled if input.quote.announcement.label in {"30d_low", "uvp"}

# METADATA
# title: Steps without interruption
# description: The claimed start was not uninterrupted, so the window began anew and the claim fails in it.
# custom:
#   id: PRI-05
#   de: Die Ermäßigung lief nicht ohne Unterbrechung. Der Vergleich beginnt deshalb neu und stimmt so nicht.
#   en: The reduction did not run without interruption. The comparison starts anew and is not true like this.
#   legal_basis: § 11(2) PAngV; Art. 6a(5) Dir. 98/6/EC
#   source: law.md PRI-05
#   force: binding
#   sdm: Integrität
deny_claim contains "PRI-05" if {
	_must_show_low
	input.facts.covered == true
	input.facts.restarted == true
	not _true_to_low
}

# METADATA
# title: Exemptions are narrow
# description: Short-dated goods are exempt only if the notice says that they are.
# custom:
#   id: PRI-06
#   de: Ein Nachlass wegen kurzer Haltbarkeit muss als solcher gekennzeichnet sein.
#   en: A reduction because of a short shelf life must be marked as such.
#   legal_basis: § 11(4) PAngV
#   source: law.md PRI-06
#   force: binding
#   sdm: Transparenz
deny_claim contains "PRI-06" if {
	_claims
	not input.quote.customer == "business"
	some reduction in input.quote.reductions
	reduction.kind == "short_dated"
	not reduction.marked == true
}

# METADATA
# title: No reduction against a manufacturer's price
# description: The recommended price may be named in words, never as a reduction. That holds for businesses too.
# custom:
#   id: PRI-07
#   de: Mit der Preisempfehlung des Herstellers darf nicht als Ermäßigung geworben werden.
#   en: The manufacturer's recommended price must not be advertised as a reduction.
#   legal_basis: § 5(5) UWG
#   source: law.md PRI-07
#   force: contested
#   sdm: Transparenz
deny_claim contains "PRI-07" if {
	_claims
	input.quote.announcement.label == "uvp"
}

# METADATA
# title: No fake pressure
# description: A deadline is the end of the price for everybody; "only so many left" is what the catalogue has.
# custom:
#   id: PRI-13
#   de: Der gezeigte Preis gilt und ist der ganze Preis. Fristen und Vorräte, mit denen geworben wird, müssen für alle wahr sein.
#   en: The price shown holds and is the whole price. Deadlines and stocks that are advertised must be true for everybody.
#   legal_basis: §§ 3, 4 PAngV; Annex to § 3(3) UWG, no. 7
#   source: law.md PRI-13
#   force: binding
#   sdm: Integrität
#   since: "2"
deny_claim contains "PRI-13" if not input.facts.deadline_true == true

deny_claim contains "PRI-13" if not input.facts.stock_true == true
