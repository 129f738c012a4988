# METADATA
# title: Standing
# description: |
#   Says by which rule a consent that is not in force refuses. Only "given" and
#   "renewed" are in force; a status named nowhere below refuses too, because
#   every package asks for one of those two before it allows anything.
package standing

# METADATA
# title: In force
# description: The statuses on which processing may rest (law.md 2.2).
in_force := {"given", "renewed"}

# METADATA
# title: Silence is a no
# description: Without a decision of the visitor there is nothing to rest on.
# custom:
#   id: CON-11
#   de: Für diesen Zweck liegt keine eindeutige Einwilligung von Ihnen vor. Im Zweifel gilt Nein.
#   en: There is no clear consent from you for this purpose. When in doubt, it is a no.
#   legal_basis: Art. 25(2), Art. 5(2) GDPR
#   source: law.md CON-11
#   force: binding
#   sdm: Intervenierbarkeit
refusal("unknown") := "CON-11"

refusal("requested") := "CON-11"

refusal("request_deferred") := "CON-11"

# METADATA
# title: Opt-in before anything that is not essential
# description: The visitor said no to this purpose.
# custom:
#   id: CON-01
#   de: Ohne Ihr Ja speichern und lesen wir dafür nichts auf Ihrem Gerät.
#   en: Without your yes we store and read nothing on your device for this.
#   legal_basis: § 25(1) TDDDG; Art. 5(3) ePrivacy Directive
#   source: law.md CON-01
#   force: binding
#   sdm: Nichtverkettung
refusal("refused") := "CON-01"

# METADATA
# title: A withdrawal counts at once
# description: Withdrawn by the visitor, or revoked by the shop; nothing new may happen for the purpose.
# custom:
#   id: CON-10
#   de: Sie haben Ihre Einwilligung für diesen Zweck widerrufen. Seitdem nutzen wir dafür nichts mehr.
#   en: You withdrew your consent for this purpose. Since then we use nothing for it.
#   legal_basis: Art. 7(3) GDPR
#   source: law.md CON-10
#   force: binding
#   sdm: Intervenierbarkeit
refusal("withdrawn") := "CON-10"

refusal("revoked") := "CON-10"

# METADATA
# title: A consent grows old
# description: A grant expires after twelve months unless it was renewed.
# custom:
#   id: CON-12
#   de: Ihre Einwilligung für diesen Zweck ist älter als zwölf Monate und deshalb abgelaufen.
#   en: Your consent for this purpose is more than twelve months old and has expired.
#   legal_basis: Art. 5(1)(e) GDPR; EDPB Guidelines 05/2020
#   source: law.md CON-12
#   force: guidance
#   sdm: Datenminimierung
refusal("expired") := "CON-12"

# METADATA
# title: Refusing must be as easy as accepting
# description: The consent was obtained through a banner that was found unfair, and was invalidated.
# custom:
#   id: CON-06
#   de: Diese Einwilligung ist ungültig, weil Ablehnen nicht so einfach war wie Zustimmen. Wir nutzen sie nicht.
#   en: This consent is invalid because refusing was not as easy as accepting. We do not use it.
#   legal_basis: Art. 4(11), Art. 7 GDPR; § 25 TDDDG
#   source: law.md CON-06
#   force: contested
#   sdm: Intervenierbarkeit
refusal("invalidated") := "CON-06"

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
refusal("unregistered") := "LAW-01"

# METADATA
# title: Proxies
# description: |
#   Tags and words of feature names that stand for origin, faith or place (SPC-04).
#   The packages that choose for or against a person refuse them.
proxies := {
	"proxy", "surname", "forename", "firstname", "lastname", "origin", "ethnic", "ethnicity", "nationality", "postcode", "plz",
	"zip", "diet", "voice", "accent",
}

# METADATA
# title: Weaknesses
# description: |
#   Tags and words of feature names that tell of a weakness, a feeling or a body
#   (SPC-07). There is no such input in this product, and this is why none can come.
weaknesses := {
	"vulnerability", "vulnerable", "distress", "debt", "addiction", "grief", "disability", "frailty", "emotion", "emotional", "stress",
	"frustration", "rage", "anger", "mood", "sentiment", "biometric", "biometrics", "face", "facial", "mimic", "gaze", "gesture",
	"heartbeat", "tremor",
}

# METADATA
# title: Words of names
# description: The words of feature names, in lower case.
words(names) := {word |
	some name in names
	some word in split(lower(name), "_")
}

# METADATA
# title: A decision that a machine may take alone
# description: |
#   Of no or low significance (ADM-01), or significant with a ground of Art. 22(2).
#   Who asks must add whom it may never touch: children, and special categories.
mild := {"none", "low"}

# METADATA
# title: Grounds of Art. 22(2) GDPR
grounds := {"contract", "law", "explicit_consent"}
