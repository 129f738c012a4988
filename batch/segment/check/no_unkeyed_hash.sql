-- No exported key is what anybody could compute without the recipient's own key: a common
-- digest of the person's pseudonym, or the pseudonym itself (BAT-06). Nor do two
-- recipients share one.
select 'unkeyed' as what, e.channel, count(*) as keys
from (from exports limit 1000) as e
where e.key in (
    e.person::varchar, replace(e.person::varchar, '-', ''), md5(e.person::varchar),
    md5(replace(e.person::varchar, '-', '')), left(sha256(e.person::varchar), 32),
    left(sha256(replace(e.person::varchar, '-', '')), 32), left(sha1(e.person::varchar), 32)
)
group by e.channel
union all
select 'shared' as what, any_value(e.channel), count(distinct h.recipient) as keys
from exports as e
join channels as h using (channel)
group by e.key
having count(distinct h.recipient) > 1
order by all;
