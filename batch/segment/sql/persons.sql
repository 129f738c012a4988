-- persons: who a subject's events belong to. That is the account a device is linked
-- to if both sides consent to personalisation_content (CON-14), else the subject.
-- One row per subject. Reads subjects_now, own_standings, links, purposes.
create or replace table persons as

with consenting as (
    select o.subject
    from own_standings as o
    join purposes as p on p.bit = o.bit and p.purpose = 'personalisation_content'
    where o.status in ('given', 'renewed')
),

merged as (
    select l.device as subject, l.account
    from links as l
    join consenting as d on d.subject = l.device
    join consenting as a on a.subject = l.account
)

select u.subject, coalesce(m.account, u.subject) as person, m.account is not null as merged
from subjects_now as u
left join merged as m using (subject);
