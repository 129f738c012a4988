-- deltas: what changed since the last published night, the base: which rows are new and
-- which went. Whoever holds the base's files and applies it holds tonight's; as_of and
-- until of the rows that stay are tonight's too.
-- One row per segment, channel and key that changed. Reads export_rows, previous.
create or replace table deltas as

select
    coalesce(e.segment, p.segment) as segment,
    coalesce(e.channel, p.channel) as channel,
    coalesce(e.key, p.key) as key,
    if(p.key is null, 'added', 'removed') as change
from export_rows as e
full join previous as p on p.segment = e.segment and p.channel = e.channel and p.key = e.key
where e.key is null or p.key is null;
