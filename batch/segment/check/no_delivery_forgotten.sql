-- Every row that a recipient got and that is not exported again stands in its file of
-- revocations, unless it said that the row is gone (EXP-06).
select d.channel, d.segment, count(*) as keys
from deliveries_before as d
left join export_rows as e on e.channel = d.channel and e.segment = d.segment and e.key = d.key
left join recalled as r on r.channel = d.channel and r.segment = d.segment and r.key = d.key
where e.key is null and r.key is null
  and d.last_day + getvariable('segment_days')::integer > getvariable('as_of_day')
  and not exists (from acks as a where a.channel = d.channel and a.day >= d.revoked_day)
group by d.channel, d.segment
order by d.channel, d.segment;
