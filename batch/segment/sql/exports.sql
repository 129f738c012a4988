-- exports: who leaves on which channel, with which segments. The key is made for the
-- recipient alone; the person column never leaves. Rows lie in the order of their keys, in
-- which they are written.
-- One row per person and channel, and one more for special segments. Reads candidates,
-- export_cases, export_verdicts, groups, channels.
create or replace table exports as

with admitted as (
    select e.case_no, bitstring_agg(g.place, 0, getvariable('last_place')) as segments
    from export_cases as e
    join groups as g using (channel)
    join export_verdicts as v on v.case_no = e.case_no and v.small = g.small
    where v.allowed
    group by e.case_no
)

select
    c.channel,
    row_key(h.recipient, c.person) as key,
    c.person,
    c.segments & a.segments as segments
from candidates as c
join admitted as a using (case_no)
join channels as h using (channel)
where bit_count(c.segments & a.segments) > 0
order by c.channel, key;
