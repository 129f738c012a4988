-- case_rows: how many members of each segment are of which case on each channel.
-- One row per segment, channel and case. Reads crowds, kind_cases, segment_names.
create or replace table case_rows as

select n.segment, c.channel, c.case_no, sum(w.persons)::bigint as rows
from crowds as w
join kind_cases as c using (kind)
join segment_names as n on get_bit(w.segments, n.place) = 1 and get_bit(c.segments, n.place) = 1
group by all;
