-- standings_now: where each purpose stands now for the events of a subject, with
-- the account that a device is linked to folded in (CON-14, consent.Together).
-- An account alone cannot say yes for a device, nor a device for the person.
-- Whoever is not linked stands where they decided: only linked devices take space here.
-- One row per subject and purpose. Reads own_standings, links, purposes.
create or replace table linked_standings as

with sides as (
    select l.device as subject, o.bit, 'device' as side, o.status, o.since_ms, o.until_ms, o.explicit, o.notice, o.doi_confirmed, o.lifts
    from links as l
    join own_standings as o on o.subject = l.device
    union all
    select l.device as subject, o.bit, 'account' as side, o.status, o.since_ms, o.until_ms, o.explicit, o.notice, o.doi_confirmed, o.lifts
    from links as l
    join own_standings as o on o.subject = l.account
),

pairs as (
    select
        subject,
        bit,
        any_value({
            status: status, since_ms: since_ms, until_ms: until_ms, explicit: explicit, notice: notice, doi: doi_confirmed,
            lifts: lifts
        })
            filter (where side = 'device') as d,
        any_value({
            status: status, since_ms: since_ms, until_ms: until_ms, explicit: explicit, notice: notice, doi: doi_confirmed,
            lifts: lifts
        })
            filter (where side = 'account') as a
    from sides
    group by subject, bit
),

judged as (
    select
        subject,
        bit,
        case
            when reach = 'account' then a
            when reach = 'device' or coalesce(a.status, 'unknown') = 'unknown' then d
            when coalesce(d.status, 'unknown') = 'unknown' or a.status not in ('given', 'renewed') then a
            when d.status not in ('given', 'renewed') then d
            else {
                status: if(d.since_ms > a.since_ms, d.status, a.status),
                since_ms: greatest(a.since_ms, d.since_ms),
                until_ms: least(a.until_ms, d.until_ms),
                explicit: a.explicit and d.explicit,
                notice: a.notice,
                doi: a.doi and d.doi,
                lifts: a.lifts and d.lifts
            }
        end as s
    from pairs
    join purposes using (bit)
)

select subject, bit, s.status as status, s.since_ms as since_ms, s.until_ms as until_ms, s.explicit as explicit,
    s.notice as notice, s.doi as doi_confirmed, s.lifts as lifts
from judged
where s is not null;

create or replace view standings_now as
select subject, bit, status, since_ms, until_ms, explicit, notice, doi_confirmed, lifts
from own_standings
where alone
union all
from linked_standings;
