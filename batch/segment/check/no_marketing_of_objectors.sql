-- Nobody who objected to direct marketing, or is on the suppression list for a channel,
-- was even considered for that channel (EXP-03): profiling for marketing stops too.
with said as (
    select p.person, coalesce(j.objections, []) as objections, coalesce(j.suppressed, []) as suppressed
    from subjects as j
    join persons as p using (subject)
    where len(j.objections) > 0 or len(j.suppressed) > 0
)

select c.channel, count(*) as persons
from said as s
join candidates as c using (person)
join channels as h using (channel)
where h.medium <> '' and (
    list_has_any(s.objections, ['direct_marketing', 'direct_marketing:' || h.purpose])
    or list_has_any(s.suppressed, [h.medium, 'all'])
)
group by c.channel
order by c.channel;
