-- No column in a recipient's file that its channel does not list (EXP-08), but what a delta
-- says of a row.
select w.file, t.name
from written as w
join written_types as t using (file)
where w.channel <> '' and not (w.kind = 'delta' and t.name = 'change')
  and (w.channel, t.name) not in (select channel, field from channel_fields)
order by w.file, t.name;
