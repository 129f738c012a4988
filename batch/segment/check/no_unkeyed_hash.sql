-- No exported key is what anybody could compute without the recipient's own key: a common
-- digest of the person's pseudonym, or the pseudonym itself (BAT-06). Nor do two
-- recipients share one. Of each channel the 1,000 smallest keys are held against the digests.
with sampled as (
    select channel, unnest(arg_min({key: key, person: person}, key, 1000)) as r
    from exports
    group by channel
),

shown as (
    select channel, replace(r.key::varchar, '-', '') as key, r.person::varchar as dashed, replace(r.person::varchar, '-', '') as plain
    from sampled
),

several as (
    select e.key
    from exports as e
    join channels as h using (channel)
    group by e.key
    having min(h.recipient) <> max(h.recipient)
)

select 'unkeyed' as what, channel, count(*) as keys
from shown
where key in (
    plain, md5(dashed), md5(plain), left(sha256(dashed), 32), left(sha256(plain), 32), left(sha1(dashed), 32), left(sha1(plain), 32)
)
group by channel
union all
select 'shared' as what, null, count(*) as keys
from several
having count(*) > 0
order by all;
