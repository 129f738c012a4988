-- cells: the numbers about persons that the report may show. A size under k is
-- withheld. If a channel refused fewer than k but more than none, size and losses are
-- withheld too: the size less the file's rows would tell. Of two segments of which one
-- holds the other and fewer than k more, the smaller one's size is withheld, else the
-- difference would tell. Of a segment whose members all share something sensitive, size
-- is withheld as well (l-diversity of two); and a size that differs by fewer than k from one
-- that an earlier report told of the same persons (EXP-07). A size that moved by fewer than k
-- since it was last told is told again as it was then: whoever knows both reports would know
-- who came or went.
-- One row per segment. Reads groups, crowds, kinds, segment_names, released, told_before.
create or replace table cells as

with counted as (
    select
        segment,
        any_value(members) as members,
        bool_or(published and members > admitted and members - admitted < getvariable('k')) as small_loss
    from groups
    group by segment
),

sizes as (
    select
        c.*,
        b.members is not null and b.members <> c.members and abs(b.members - c.members) < getvariable('k') as again,
        if(again, b.members, c.members) as shown
    from counted as c
    left join told_before as b using (segment)
),

-- Few combinations of segments among many persons: these are looked at, not the persons.
combinations as (
    select c.segments, sum(c.persons)::bigint as persons, bool_or(k.tag = 'none') as plain
    from crowds as c
    join kinds as k using (kind)
    where c.segments is not null
    group by c.segments
),

placed as (
    select c.*, n.segment
    from combinations as c
    join segment_names as n on get_bit(c.segments, n.place) = 1
),

alike as (
    select segment
    from placed
    group by segment
    having not bool_or(plain) or list_contains(getvariable('special_segments'), segment)
),

told as (
    select distinct s.segment
    from sizes as s
    join released as r using (segment)
    where r.members <> s.shown and abs(r.members - s.shown) < getvariable('k')
),

shared_members as (
    select i.segment as inner_one, o.segment as outer_one, sum(i.persons)::bigint as shared
    from placed as i
    join placed as o on o.segments = i.segments and o.segment <> i.segment
    group by i.segment, o.segment
),

nested as (
    select distinct o.inner_one as segment
    from shared_members as o
    join sizes as i on i.segment = o.inner_one
    join sizes as u on u.segment = o.outer_one
    where o.shared = i.members and (
        u.members > i.members and u.members - i.members < getvariable('k')
        or u.shown <> i.shown and abs(u.shown - i.shown) < getvariable('k')
    )
)

select
    s.segment,
    case
        when s.members >= getvariable('k') and not s.small_loss and n.segment is null and a.segment is null and t.segment is null
            then s.shown
    end as members,
    case
        when s.members < getvariable('k') then 'under_k'
        when s.small_loss then 'loss_under_k'
        when n.segment is not null then 'difference_under_k'
        when a.segment is not null then 'one_sensitive_value'
        when t.segment is not null then 'difference_to_last_report'
        else ''
    end as withheld,
    s.again
from sizes as s
left join nested as n using (segment)
left join alike as a using (segment)
left join told as t using (segment);
