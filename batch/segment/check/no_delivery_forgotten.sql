-- Every row that a recipient got and that is not exported again stands in its file of
-- revocations, unless it said that the row is gone (EXP-06). The rows of the export that an
-- earlier run of the date published, and tonight's replaces, are read from its own files: all
-- of them were delivered today, and nobody can have said yet that they are gone.
with acknowledged as (
    select channel, max(day) as day
    from acks
    group by channel
),

missing as (
    select d.*
    from (
        select set_no, key, last_day, revoked_day
        from deliveries_before
        union all
        select set_no, key, getvariable('as_of_day'), null
        from replaced_rows
    ) as d
    where not exists (from export_rows as e where e.set_no = d.set_no and e.key = d.key)
)

select s.channel, s.segment, count(distinct d.key) as keys
from missing as d
left join row_sets as s using (set_no)
left join acknowledged as a on a.channel = s.channel
where not exists (from recalled as r where r.set_no = d.set_no and r.key = d.key)
  and d.last_day + getvariable('segment_days')::integer > getvariable('as_of_day')
  and not coalesce(a.day >= d.revoked_day, false)
group by s.channel, s.segment
order by s.channel, s.segment;
