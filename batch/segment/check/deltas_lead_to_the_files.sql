-- The base's rows, less those that the written deltas remove, with those that they add, are
-- tonight's rows: a recipient who applies every delta holds what the full files hold.
-- Without a base there are no deltas.
with applied as (
    select p.segment, p.channel, p.key
    from previous as p
    where not exists (
        from changed_rows as c
        where c.segment = p.segment and c.channel = p.channel and c.key = p.key and c.change = 'removed'
    )
    union all
    select segment, channel, key
    from changed_rows
    where change = 'added'
),

wrong as (
    (select segment, channel, key from export_rows except all from applied)
    union all
    (from applied except all select segment, channel, key from export_rows)
)

select segment, channel, count(*) as keys
from wrong
where getvariable('based')
group by segment, channel
order by segment, channel;
