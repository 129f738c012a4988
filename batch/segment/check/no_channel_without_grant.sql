-- No exported row whose person, in the host's own standings, has not said yes to the
-- channel's purpose and to personalisation_content, or is restricted, or has objected to
-- the channel or is suppressed for it (EXP-01, EXP-03). Written without the tables that the
-- gate was built from. Post rests on no grant, nor does a mail to a customer (EXP-02).
with granted as (
    select s.subject, bit_or(1::bigint << p.bit) as purposes
    from standings as s
    join (from purposes where purpose = 'personalisation_content' or purpose in (select purpose from channels)) as p using (purpose)
    where s.status in ('given', 'renewed') and s.until_ms > getvariable('read_ms')
    group by s.subject
),

stopped as (
    select subject, restricted, coalesce(objections, []) as objections, coalesce(suppressed, []) as suppressed
    from subjects
    where restricted or len(objections) > 0 or len(suppressed) > 0
)

select e.channel, count(*) as rows
from exports as e
join channels as c using (channel)
cross join (select bit from purposes where purpose = 'personalisation_content') as b
left join granted as g on g.subject = e.person
left join stopped as j on j.subject = e.person
where (
    coalesce(g.purposes >> c.bit & 1, 0) = 0 and c.purpose <> 'marketing_post'
    and not (c.existing and e.person in (select person from bought))
    and e.person not in (select device from links)
)
   or (coalesce(g.purposes >> b.bit & 1, 0) = 0 and e.person not in (select device from links))
   or j.restricted
   or (c.medium <> '' and list_has_any(j.objections, ['direct_marketing', 'direct_marketing:' || c.purpose]))
   or (c.medium <> '' and list_has_any(j.suppressed, [c.medium, 'all']))
   or list_contains(j.objections, 'profiling')
group by e.channel
order by e.channel;
