-- Nobody who objected to direct marketing, or is on the suppression list for a channel,
-- was even considered for that channel (EXP-03): profiling for marketing stops too.
select c.segment, c.channel, count(*) as persons
from candidates as c
join channels as h using (channel)
join persons as p on p.person = c.person
join subjects as j on j.subject = p.subject
where h.medium <> '' and (
    list_has_any(coalesce(j.objections, []), ['direct_marketing', 'direct_marketing:' || h.purpose])
    or list_has_any(coalesce(j.suppressed, []), [h.medium, 'all'])
)
group by c.segment, c.channel
order by c.segment, c.channel;
