-- kind_cases: the facts of the export case of each kind of person in a segment that leaves
-- through a channel. Whoever objected to a channel of direct marketing, or is on the suppression
-- list for it, is not even asked about: no membership is computed for them (EXP-03).
-- state: where the channel's purpose stands for the person. What only an account may decide is unknown for a device, even for one that
-- is linked: its features are not the account's (CON-14). A no on any device that makes up
-- the person is a no. named: the notice that the grant rests on names the recipient; where no
-- grant is known, every notice about the purpose must (EXP-05, EXP-08). confirmed: whoever has
-- to have the address confirmed has done so (EXP-04). gpc, dnt: not where the grant was chosen
-- in knowledge of the browser's signal, which it outranks (SIG-04). tag: a segment that gives
-- something sensitive away makes each of its rows special (SPC-01), whatever its members
-- looked at; segments has a bit for each segment that the row is about.
-- One row per kind and channel, and one more for special segments. Reads kinds, crowds,
-- segment_names, channels, destinations, purposes, naming, standings_asked.
create or replace table kind_cases as

with leaving as (
    select
        d.channel,
        list_contains(getvariable('special_segments'), d.segment) as special,
        bitstring_agg(n.place, 0, getvariable('last_place')) as segments
    from destinations as d
    join segment_names as n using (segment)
    group by all
),

asked as (
    select
        k.*,
        c.*,
        l.special,
        l.segments,
        p.runs,
        list_filter(k.objections, lambda o: o.purpose = c.purpose)[1] as objection,
        list_min(list_transform(list_filter(k.refusals, lambda r: r.bit = c.bit), lambda r: r.status)) as refusal
    from kinds as k
    cross join leaving as l
    join channels as c using (channel)
    join purposes as p on p.bit = c.bit
    where exists (from crowds as w where w.kind = k.kind and bit_count(w.segments & l.segments) > 0)
)

select
    a.kind,
    a.channel,
    a.segments,
    case
        when getvariable('exports_off') then 'switched_off'
        when not a.runs then 'unregistered'
        when a.restricted then 'restricted'
        when not a.account and a.reach = 'account' then 'unknown'
        when coalesce(a.refusal, s.status) in ('requested', 'request_deferred') then 'unknown'
        else coalesce(a.refusal, s.status, 'unknown')
    end as state,
    coalesce(try_cast(if(a.restricted, 'restricted', b.status) as case_state), 'unknown') as source,
    a.gpc and not coalesce(s.lifts, false) as gpc,
    a.dnt and not coalesce(s.lifts, false) as dnt,
    if(a.special, 'special', a.tag) as tag,
    a.age,
    coalesce(a.objection.objected, false) as objected,
    coalesce(a.objection.suppressed, false) as suppressed,
    a.confirmed_there or coalesce(s.doi_confirmed, false) as confirmed,
    if(coalesce(s.notice, '') = '', a.named_by_all, (a.channel, s.notice) in (select channel, notice from naming)) as named,
    a.account and a.ordered as ordered,
    a.account and coalesce(list_contains(a.alike, a.channel), false) as alike
from asked as a
left join standings_asked as s on s.bit = a.bit and get_bit(a.standings, s.no) = 1
left join (from standings_asked join purposes using (bit) where purpose = getvariable('basis')) as b on get_bit(a.standings, b.no) = 1
where not a.marketing or a.objection is null;
