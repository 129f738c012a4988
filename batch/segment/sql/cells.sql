-- cells: the numbers about persons that the report may show. A size under k is
-- withheld. If a channel refused fewer than k but more than none, size and losses are
-- withheld too: the size less the file's rows would tell. Of two segments of which one
-- holds the other and fewer than k more, the smaller one's size is withheld, else the
-- difference would tell.
-- One row per segment. Reads groups, members.
create or replace table cells as

with sizes as (
    select
        segment,
        any_value(members) as members,
        bool_or(published and members > admitted and members - admitted < getvariable('k')) as small_loss
    from groups
    group by segment
),

shared_members as (
    select a.segment as inner_one, b.segment as outer_one, count(*) as shared
    from members as a
    join members as b using (person)
    where a.segment <> b.segment
    group by a.segment, b.segment
),

nested as (
    select distinct o.inner_one as segment
    from shared_members as o
    join sizes as i on i.segment = o.inner_one
    join sizes as u on u.segment = o.outer_one
    where o.shared = i.members and u.members > i.members and u.members - i.members < getvariable('k')
)

select
    s.segment,
    case when s.members >= getvariable('k') and not s.small_loss and n.segment is null then s.members end as members,
    case
        when s.members < getvariable('k') then 'under_k'
        when s.small_loss then 'loss_under_k'
        when n.segment is not null then 'difference_under_k'
        else ''
    end as withheld
from sizes as s
left join nested as n using (segment);
