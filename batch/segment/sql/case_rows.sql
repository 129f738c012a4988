-- case_rows: how many members of each segment are of which case on each channel.
-- One row per segment, channel and case. Reads candidates, segment_names.
create or replace table case_rows as

with alike as (
    select channel, case_no, segments, count(*)::bigint as persons
    from candidates
    group by all
)

select n.segment, a.channel, a.case_no, sum(a.persons)::bigint as rows
from alike as a
join segment_names as n on get_bit(a.segments, n.place) = 1
group by all;
