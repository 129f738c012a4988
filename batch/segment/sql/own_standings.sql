-- own_standings: what each subject itself decided, with expiry at the time that the
-- ledger was read (CON-12). A purpose that the register does not let run stands for
-- nobody (LAW-01).
-- One row per subject and purpose. Reads standings, subjects, purposes.
create or replace table own_standings as

select
    s.subject,
    coalesce(j.scope, 'device') as scope,
    p.bit,
    p.reach,
    case
        when not p.runs then 'unregistered'
        when s.status in ('given', 'renewed') and s.until_ms <= getvariable('read_ms') then 'expired'
        else s.status
    end as status,
    s.since_ms,
    s.until_ms,
    s.explicit,
    s.notice,
    s.doi_confirmed,
    s.lifts
from standings as s
join purposes as p using (purpose)
left join subjects as j using (subject);
