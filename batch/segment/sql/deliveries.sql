-- deliveries: which row each recipient ever got and may still hold, and since when it has
-- to delete it (EXP-06). A row leaves the list when its recipient acknowledged the
-- deletion, or when it had to be deleted by its own date anyway.
-- One row per channel, segment and key. Reads deliveries_before, export_rows, channels, acks.
create or replace table deliveries as

with before as (
    select d.*
    from deliveries_before as d
    where d.last_day + getvariable('segment_days')::integer > getvariable('as_of_day')
      and not exists (
          from acks as a where a.channel = d.channel and a.day >= d.revoked_day
      )
)

select
    coalesce(b.channel, e.channel) as channel,
    coalesce(b.segment, e.segment) as segment,
    coalesce(b.key, e.key) as key,
    coalesce(b.first_day, getvariable('as_of_day')) as first_day,
    if(e.key is null, b.last_day, getvariable('as_of_day')) as last_day,
    if(e.key is null, coalesce(b.revoked_day, getvariable('as_of_day')), null) as revoked_day
from before as b
full join export_rows as e on e.channel = b.channel and e.segment = b.segment and e.key = b.key;
