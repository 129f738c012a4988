-- exports: the rows that leave. The key is made for the recipient alone; the person
-- column never leaves.
-- One row per segment, channel and person. Reads candidates, export_verdicts, groups,
-- channels.
create or replace table exports as

select
    c.segment,
    c.channel,
    row_key(h.recipient, c.person) as key,
    c.person
from candidates as c
join groups as g using (segment, channel)
join export_verdicts as v using (case_no, small)
join channels as h using (channel)
where v.allowed;
