-- No column in a recipient's file that its channel does not list (EXP-08).
select w.file, t.name
from written as w
join written_types as t using (file)
where w.channel <> '' and w.kind in ('segment', 'tombstones')
  and (w.channel, t.name) not in (select channel, field from channel_fields)
order by w.file, t.name;
