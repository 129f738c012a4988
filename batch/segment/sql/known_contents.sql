-- known_contents: the contents that may be learnt from: those of persons who took part in
-- tests (VAR-03), and whose contents might be chosen, when they were drawn and still do.
-- One row per content. Reads contents, learning, persons.
create or replace table known_contents as

select c.*, p.person
from contents as c
join persons as p on p.subject = c.subject
join learning as t on t.person = p.person and t.purpose = 'experimentation' and t.since_ms <= c.at_ms
join learning as b on b.person = p.person and b.purpose = 'personalisation_content' and b.since_ms <= c.at_ms;
