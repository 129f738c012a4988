-- Every key that the deltas remove has a tombstone, and no other key has (EXP-06). That they
-- remove every key of the last export that is not exported again, deltas_lead_to_the_files
-- says.
select s.segment, s.channel, count(*) as keys
from (from changed_rows where change <> 'added') as c
full join buried as b on b.set_no = c.set_no and b.key = c.key
join row_sets as s on s.set_no = coalesce(c.set_no, b.set_no)
where c.key is null or b.key is null
group by s.segment, s.channel
order by s.segment, s.channel;
