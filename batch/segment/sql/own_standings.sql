-- own_standings: what each subject itself decided, with expiry at the time that the
-- ledger was read (CON-12). A purpose that the register does not let run stands for
-- nobody (LAW-01). alone: it is what stands for the subject's events, for the subject is no
-- device that is linked to an account, and of a kind that may decide about the purpose.
-- One row per subject and purpose. Reads standings, subjects, links, purposes.
create or replace table own_standings as

select
    s.subject,
    p.bit,
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
    s.lifts,
    s.subject not in (select device from links)
        and p.reach <> if(s.subject in (select subject from subjects where scope = 'account'), 'device', 'account') as alone
from standings as s
join purposes as p using (purpose);
