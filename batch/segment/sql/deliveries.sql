-- deliveries: which row each recipient ever got and may still hold, and since when it has
-- to delete it (EXP-06). A row leaves the list, and is not listed, when its recipient
-- acknowledged the deletion, or when it had to be deleted by its own date anyway. change:
-- whether the row is new tonight, or went, since the last published night, whose files held
-- it or not. What an earlier run of the date delivered stands in deliveries_before too.
-- One row per set and key. Reads deliveries_before, export_rows, row_sets, acks.
create or replace table deliveries as

with acknowledged as (
    select s.set_no, max(a.day) as day
    from acks as a
    join row_sets as s using (channel)
    group by s.set_no
),

before as (
    select
        d.*,
        d.last_day + getvariable('segment_days')::integer > getvariable('as_of_day')
            and not coalesce(d.revoked_day <= a.day, false) as stays
    from deliveries_before as d
    left join acknowledged as a using (set_no)
)

select
    coalesce(b.set_no, e.set_no) as set_no,
    coalesce(b.key, e.key) as key,
    if(b.stays, b.first_day, getvariable('as_of_day')) as first_day,
    if(e.key is null, b.last_day, getvariable('as_of_day')) as last_day,
    if(e.key is null, coalesce(b.revoked_day, getvariable('as_of_day')), null) as revoked_day,
    e.key is not null or b.stays as listed,
    case
        when e.key is null and b.held then 'removed'
        when e.key is not null and not coalesce(b.held, false) then 'added'
    end as change
from before as b
full join export_rows as e on e.set_no = b.set_no and e.key = b.key;
