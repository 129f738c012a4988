-- cells: the sizes of segments, and of which nothing is told. Of a segment whose members all
-- share something sensitive it is withheld (l-diversity of two), and so is one under k. How a
-- size is told is the report's matter (EXP-07).
-- One row per segment. Reads groups, crowds, kinds, segment_names.
create or replace table cells as

with counted as (
    select segment, any_value(members) as members
    from groups
    group by segment
),

-- Few combinations of segments among many persons: these are looked at, not the persons.
combinations as (
    select c.segments, bool_or(k.tag = 'none') as plain
    from crowds as c
    join kinds as k using (kind)
    where c.segments is not null
    group by c.segments
),

alike as (
    select n.segment
    from combinations as c
    join segment_names as n on get_bit(c.segments, n.place) = 1
    group by n.segment
    having not bool_or(c.plain) or list_contains(getvariable('special_segments'), n.segment)
)

select
    c.segment,
    c.members as counted,
    if(c.members >= getvariable('k') and a.segment is null, c.members, null) as members,
    if(a.segment is null, '', 'one_sensitive_value') as withheld
from counted as c
left join alike as a using (segment);
