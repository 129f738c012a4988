# METADATA
# scope: package
# title: Prompt
# description: |
#   Which purposes a banner may ask a visitor for now. A no is respected for months:
#   who was refused does not ask again soon, unless the processing changed materially.
#   What the visitor does of their own accord is never held back by this: a yes given
#   in the preference centre counts at once (package consent).
# schemas:
#   - input: schema.prompt
package prompt

# METADATA
# title: Verdict on a prompt
# entrypoint: true
verdict := {"ask": ask, "withheld": withheld, "rules": rules}

# METADATA
# title: Purposes that a banner may ask for
# description: Those without a yes in force, that no rule withholds.
ask contains purpose if {
	some purpose, fact in input.purposes
	fact.status in _open
	not withheld[purpose]
}

rules := {id |
	some ids in withheld
	some id in ids
}

_never_said := {"unknown", "requested", "request_deferred"}

_no_longer_in_force := {"expired", "invalidated", "revoked"}

_said_no := {"refused", "withdrawn"}

_open := (_never_said | _no_longer_in_force) | _said_no

_readable(fact) if {
	fact.status in (_open | {"given", "renewed", "unregistered"})
	is_number(fact.months_since_no)
	is_boolean(fact.material_change)
}

# METADATA
# title: A no is not asked again soon
# description: |
#   After a refusal or a withdrawal there is no banner for the configured months,
#   unless a notice since says that the processing changed materially.
# custom:
#   id: CON-12
#   de: Sie haben vor Kurzem Nein gesagt. Wir fragen Sie nicht so bald noch einmal. Ändern können Sie Ihre Wahl jederzeit.
#   en: You said no not long ago. We do not ask you again so soon. You can change your choice at any time.
#   legal_basis: Art. 5(1)(e) GDPR; EDPB Guidelines 05/2020
#   source: law.md CON-12
#   force: guidance
#   sdm: Intervenierbarkeit
withheld[purpose] contains "CON-12" if {
	some purpose, fact in input.purposes
	fact.status in _said_no
	not _long_ago(fact)
	not fact.material_change == true
}

_long_ago(fact) if fact.months_since_no >= input.reask_months

# METADATA
# title: Every processing has a registered purpose with one basis
# description: Nobody is asked for what the register does not let run (package processing).
# custom:
#   id: LAW-01
#   de: Dieser Zweck steht nicht vollständig im Verzeichnis der Verarbeitungstätigkeiten. Wir fragen nicht danach.
#   en: This purpose is not wholly entered in the record of processing activities. We do not ask for it.
#   legal_basis: Art. 5(1)(a), Art. 5(1)(b), Art. 6(1), Art. 30 GDPR
#   source: law.md LAW-01
#   force: binding
#   sdm: Transparenz
#   since: "2"
withheld[purpose] contains "LAW-01" if {
	some purpose, fact in input.purposes
	fact.status == "unregistered"
}

# METADATA
# title: Fail closed
# description: A fact that is missing or of the wrong type does not let a banner ask.
# custom:
#   id: CON-11
#   de: Wir wissen nicht sicher, was Sie zuletzt gesagt haben. Im Zweifel fragen wir nicht.
#   en: We do not know for sure what you said last. When in doubt, we do not ask.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
withheld[purpose] contains "CON-11" if {
	some purpose, fact in input.purposes
	not _readable(fact)
}

withheld[purpose] contains "CON-11" if {
	some purpose, _ in input.purposes
	not _interval_known
}

_interval_known if is_number(input.reask_months)
