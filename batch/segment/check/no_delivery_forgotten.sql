-- Every row that a recipient got and that is not exported again stands in its file of
-- revocations, unless it said that the row is gone (EXP-06).
with acknowledged as (
    select channel, max(day) as day
    from acks
    group by channel
),

missing as (
    select d.*
    from deliveries_before as d
    where not exists (from export_rows as e where e.set_no = d.set_no and e.key = d.key)
)

select s.channel, s.segment, count(*) as keys
from missing as d
join row_sets as s using (set_no)
left join acknowledged as a on a.channel = s.channel
where not exists (from recalled as r where r.set_no = d.set_no and r.key = d.key)
  and d.last_day + getvariable('segment_days')::integer > getvariable('as_of_day')
  and not coalesce(a.day >= d.revoked_day, false)
group by s.channel, s.segment
order by s.channel, s.segment;
