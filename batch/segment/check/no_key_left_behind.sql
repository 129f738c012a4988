-- Every key of the last export is exported again or has a tombstone (EXP-06).
select p.segment, p.channel, count(*) as keys
from previous as p
left join export_rows as e using (segment, channel, key)
left join buried as b using (segment, channel, key)
where (e.key is null) = (b.key is null)
group by p.segment, p.channel
order by p.segment, p.channel;
