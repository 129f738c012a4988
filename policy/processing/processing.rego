# METADATA
# scope: package
# title: Processing
# description: |
#   Judges what the register says about one purpose: may it run at all, which of
#   the features that are deployed for it may it use, and which of its recipients
#   may get nothing. The facts are those of the configuration; nobody's data is
#   looked at. A purpose that may not run is refused wherever it is asked for.
# schemas:
#   - input: schema.processing
package processing

# METADATA
# title: Verdict on a purpose
# entrypoint: true
verdict := {"allowed": allowed, "rules": deny, "dropped": dropped, "blocked": blocked}

# METADATA
# title: Allowed
# description: Registered, and no rule stands against it.
default allowed := false

allowed if {
	input.entries > 0
	count(deny) == 0
}

# METADATA
# title: Every processing has a registered purpose with one basis
# description: |
#   The purpose is not in the register, or not wholly: exactly one basis, how long
#   its data are kept, and who gets them; for special categories also the ground
#   of Art. 9.
# custom:
#   id: LAW-01
#   de: Dieser Zweck steht nicht vollständig im Verzeichnis der Verarbeitungstätigkeiten. Deshalb läuft er nicht.
#   en: This purpose is not wholly entered in the record of processing activities. So it does not run.
#   legal_basis: Art. 5(1)(a), Art. 5(1)(b), Art. 6(1), Art. 30 GDPR
#   source: law.md LAW-01
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "LAW-01" if not _entered

_entered if {
	input.entries > 0
	count(input.bases) == 1
	every basis in _basis { basis in {"6-1-a", "6-1-b", "6-1-c", "6-1-f"} }
	input.retention_days > 0
	input.recipients_listed == true
	_ground_of_art_9
	_lists_there
}

_lists_there if {
	is_array(input.identifiers)
	is_array(input.sources)
	is_array(input.features)
	is_array(input.recipients)
}

_ground_of_art_9 if input.special == false

_ground_of_art_9 if input.art_9 == ["9-2-a"]

_basis contains basis if some basis in input.bases

# METADATA
# title: Legitimate interest only with a living assessment
# description: |
#   Needs an approved assessment of less than 24 months with interest, necessity,
#   balancing, safeguards and a way to object. Never for reading from a device,
#   for profiles of children, or for special categories.
# custom:
#   id: LAW-02
#   de: Für ein berechtigtes Interesse fehlt die gültige Abwägung, oder es reicht hier nicht aus. Deshalb läuft dieser Zweck nicht.
#   en: The assessment that a legitimate interest needs is missing or out of date, or such an interest is not enough here. So this purpose does not run.
#   legal_basis: Art. 6(1)(f) GDPR; CJEU C-621/22
#   source: law.md LAW-02
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "LAW-02" if {
	"6-1-f" in _basis
	not _assessed
}

deny contains "LAW-02" if {
	"6-1-f" in _basis
	_beyond_interest
}

_assessed if {
	input.lia.complete == true
	input.lia.covers == true
	input.lia.approved_by != ""
	input.lia.age_months < 24
}

_beyond_interest if not input.device_access == false

_beyond_interest if not input.special == false

_beyond_interest if {
	not input.profiling == false
	not input.child_directed == false
}

# METADATA
# title: Contract means indispensable
# description: |
#   Order, payment, delivery, returns and help that somebody asked for rest on a
#   contract. Personalising, scoring, advertising and forms of address do not.
# custom:
#   id: LAW-03
#   de: Für den Vertrag ist das nicht unbedingt nötig. Auf ihn kann sich dieser Zweck nicht stützen.
#   en: The contract does not strictly need this. The purpose cannot rest on it.
#   legal_basis: Art. 6(1)(b) GDPR; CJEU C-252/21, C-394/23
#   source: law.md LAW-03
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "LAW-03" if {
	"6-1-b" in _basis
	not input.purpose in {"essential_service", "adviser_case"}
}

# METADATA
# title: No swapping of the legal basis
# description: A purpose that visitors are asked about rests on their consent and on nothing else, whatever the register says.
# custom:
#   id: CON-13
#   de: Für diesen Zweck wurden Sie um Einwilligung gebeten. Auf eine andere Rechtsgrundlage wechseln wir nicht.
#   en: You were asked for consent to this purpose. We do not change to another legal basis.
#   legal_basis: Art. 6(1)(a), Art. 17(1)(b) GDPR; EDPB Guidelines 05/2020
#   source: law.md CON-13
#   force: guidance
#   sdm: Intervenierbarkeit
#   since: "2"
deny contains "CON-13" if {
	not input.gated == false
	some basis in _basis
	basis != "6-1-a"
}

# METADATA
# title: An identifier serves what it was made for
# description: |
#   What knows a device or a person again is used for its own purposes alone; and
#   without consent only for what the visitor asked for.
# custom:
#   id: CON-02
#   de: Diese Kennung ist für etwas anderes bestimmt, was Sie ausdrücklich gewünscht haben. Für diesen Zweck nutzen wir sie nicht.
#   en: This identifier is meant for something else that you expressly asked for. We do not use it for this purpose.
#   legal_basis: § 25(2) no. 2 TDDDG; Art. 6(1)(b) GDPR
#   source: law.md CON-02
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "CON-02" if {
	some identifier in input.identifiers
	not identifier.allowed == true
}

deny contains "CON-02" if {
	not input.gated == true
	some identifier in input.identifiers
	not identifier.on_device == false
	not identifier.exempt == true
}

# METADATA
# title: Reuse must be compatible
# description: |
#   Data of another purpose are used only if that purpose lists this one as
#   compatible, or this one has a consent of its own.
# custom:
#   id: LAW-04
#   de: Diese Angaben haben Sie für einen anderen Zweck gemacht. Dafür nutzen wir sie nicht.
#   en: You gave these details for another purpose. We do not use them for this one.
#   legal_basis: Art. 5(1)(b), Art. 6(4) GDPR
#   source: law.md LAW-04
#   force: binding
#   sdm: Nichtverkettung
#   since: "2"
deny contains "LAW-04" if {
	not input.gated == true
	some origin in input.sources
	not origin.compatible == true
}

# METADATA
# title: Features are listed, and do not look back without end
# description: |
#   A feature that is not on the purpose's list, or looks further back than the
#   purpose may, is left out of every decision. If none is left there is none.
# custom:
#   id: LAW-05
#   de: Dieses Merkmal ist für den Zweck nicht vorgesehen oder reicht zu weit zurück. Wir nutzen es nicht.
#   en: This feature is not meant for the purpose, or looks too far back. We do not use it.
#   legal_basis: Art. 5(1)(c), Art. 5(1)(e), Art. 25 GDPR; CJEU C-446/21
#   source: law.md LAW-05
#   force: binding
#   sdm: Datenminimierung
#   since: "2"
dropped[feature.name] contains "LAW-05" if {
	some feature in input.features
	not feature.listed == true
}

dropped[feature.name] contains "LAW-05" if {
	some feature in input.features
	not _in_time(feature)
}

_in_time(feature) if feature.days <= input.lookback_days

deny contains "LAW-05" if {
	count(input.features) > 0
	every feature in input.features { dropped[feature.name] }
}

# METADATA
# title: Papers are gates
# description: |
#   Profiles, special categories and whatever the register marks need an impact
#   assessment: with the DPO's opinion, and the approval of somebody else, before
#   its day of review. What is deployed must be what was assessed; a feature or
#   recipient more re-opens it.
# custom:
#   id: OPS-03
#   de: Die Datenschutz-Folgenabschätzung fehlt, ist abgelaufen oder passt nicht mehr zu dem, was eingesetzt wird. Deshalb läuft dieser Zweck nicht.
#   en: The data protection impact assessment is missing, has expired, or no longer fits what is deployed. So this purpose does not run.
#   legal_basis: Art. 30, Art. 35, Art. 36 GDPR
#   source: law.md OPS-03
#   force: binding
#   sdm: Transparenz
#   since: "2"
deny contains "OPS-03" if {
	_needs_dpia
	not _dpia_stands
}

_needs_dpia if not input.dpia_required == false

_needs_dpia if not input.profiling == false

_needs_dpia if not input.special == false

_dpia_stands if {
	input.dpia.covers == true
	input.dpia.approved == true
	input.dpia.expired == false
	input.dpia.opinion_by != ""
	input.dpia.decision_by != ""
	input.dpia.opinion_by != input.dpia.decision_by
	count(input.dpia.unassessed_features) == 0
	count(input.dpia.unassessed_recipients) == 0
}

# METADATA
# title: No recipient without a contract and a ground for the transfer
# description: |
#   Processors and joint controllers need their contract, others what binds them.
#   Outside the EEA only with adequacy, or with standard clauses and an assessment;
#   or with the EU-US framework while it stands.
# custom:
#   id: OPS-04
#   de: Für einen Empfänger fehlt der Vertrag oder die Grundlage für die Übermittlung. Er bekommt nichts.
#   en: A recipient lacks its contract or the ground for the transfer. It gets nothing.
#   legal_basis: Art. 26, Art. 28, Art. 44 to 49 GDPR; CJEU C-40/17
#   source: law.md OPS-04
#   force: binding
#   sdm: Vertraulichkeit
#   since: "2"
blocked[recipient.id] contains "OPS-04" if {
	some recipient in input.recipients
	not recipient.role == "own"
	not recipient.contract == true
}

blocked[recipient.id] contains "OPS-04" if {
	some recipient in input.recipients
	not recipient.country in _eea
	not _transferable(recipient)
}

deny contains "OPS-04" if count(blocked) > 0

_transferable(recipient) if {
	recipient.transfer == "adequacy"
	recipient.country in _adequate
}

_transferable(recipient) if {
	recipient.transfer == "scc"
	recipient.assessed == true
}

_transferable(recipient) if {
	recipient.transfer == "dpf"
	recipient.country == "US"
	input.dpf == true
}

_eea := {
	"AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IS", "IT", "LI", "LT", "LU",
	"LV", "MT", "NL", "NO", "PL", "PT", "RO", "SE", "SI", "SK",
}

# Decisions of the Commission under Art. 45; the United States only through the framework.
_adequate := {"AD", "AR", "CA", "CH", "FO", "GB", "GG", "IL", "IM", "JE", "JP", "KR", "NZ", "UY"}
