-- channel_states: where each channel's purpose stands for each person. What only an
-- account may decide is unknown for a device, even for one that is linked: its features
-- are not the account's (CON-14). A no on any device that makes up the person is a no.
-- named: the notice that the grant rests on names the recipient; where no grant is known,
-- every notice about the purpose must (EXP-05, EXP-08). confirmed: whoever has to have the
-- address confirmed has done so (EXP-04). lifts: the grant was chosen in knowledge of the
-- browser's signal, which it outranks (SIG-04).
-- One row per person and channel. Reads person_facts, channels, naming, persons,
-- own_standings, standings_now, purposes.
create or replace table channel_states as

with refusing as (
    select p.person, o.bit, min(o.status) as status
    from persons as p
    join own_standings as o using (subject)
    where p.merged and o.reach <> 'account' and o.status not in ('given', 'renewed', 'unknown')
    group by p.person, o.bit
)

select
    f.person,
    c.channel,
    case
        when getvariable('exports_off') then 'switched_off'
        when not p.runs then 'unregistered'
        when f.restricted then 'restricted'
        when f.scope = 'device' and c.reach = 'account' then 'unknown'
        when r.status is not null then r.status
        when s.status in ('requested', 'request_deferred') then 'unknown'
        else coalesce(s.status, 'unknown')
    end as state,
    case
        when coalesce(s.notice, '') = '' then c.named_by_all
        else (c.channel, s.notice) in (select channel, notice from naming)
    end as named,
    c.confirmed_there or coalesce(s.doi_confirmed, false) as confirmed,
    coalesce(s.lifts, false) as lifts
from person_facts as f
cross join channels as c
join purposes as p on p.bit = c.bit
left join standings_now as s on s.subject = f.person and s.bit = c.bit
left join refusing as r on r.person = f.person and r.bit = c.bit;
