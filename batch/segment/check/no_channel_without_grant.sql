-- No exported row whose person, in the host's own standings, has not said yes to the
-- channel's purpose and to personalisation_content, or is restricted or has objected.
-- Written without the tables that the gate was built from. Post rests on no grant.
select e.segment, e.channel, count(*) as rows
from exports as e
join channels as c using (channel)
left join standings as s
    on s.subject = e.person and s.purpose = c.purpose and s.status in ('given', 'renewed')
    and s.until_ms > getvariable('read_ms')
left join standings as b
    on b.subject = e.person and b.purpose = 'personalisation_content' and b.status in ('given', 'renewed')
    and b.until_ms > getvariable('read_ms')
left join subjects as j on j.subject = e.person
where (s.subject is null and c.purpose <> 'marketing_post' and e.person not in (select device from links))
   or (b.subject is null and e.person not in (select device from links))
   or coalesce(j.restricted, false)
   or coalesce(j.objected, false)
group by e.segment, e.channel
order by e.segment, e.channel;
