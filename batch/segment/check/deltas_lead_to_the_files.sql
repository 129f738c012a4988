-- The base's rows, less those that the written deltas remove, with those that they add, are
-- tonight's rows: a recipient who applies every delta holds what the full files hold. A
-- delta removes just what went; it adds nothing that was there, or is not now, and so many
-- rows as are missing. Without a base there are no deltas.
with gone as (
    select b.set_no, b.key
    from base_rows as b
    where not exists (from export_rows as e where e.set_no = b.set_no and e.key = b.key)
),

sizes as (
    select set_no, sum(rows) as rows
    from (
        select set_no, -count(*) as rows from export_rows group by set_no
        union all
        select set_no, count(*) as rows from base_rows group by set_no
        union all
        select set_no, sum(if(change = 'added', 1, -1)) as rows from changed_rows group by set_no
    )
    group by set_no
),

wrong as (
    select coalesce(g.set_no, c.set_no) as set_no
    from gone as g
    full join (from changed_rows where change <> 'added') as c on c.set_no = g.set_no and c.key = g.key
    where g.key is null or c.key is null
    union all
    select c.set_no
    from changed_rows as c
    where c.change = 'added' and (
        exists (from base_rows as b where b.set_no = c.set_no and b.key = c.key)
        or not exists (from export_rows as e where e.set_no = c.set_no and e.key = c.key)
    )
    union all
    select set_no
    from changed_rows
    group by set_no, key
    having count(*) > 1
    union all
    select set_no
    from sizes
    where rows <> 0
)

select s.segment, s.channel, count(*) as keys
from wrong as w
join row_sets as s using (set_no)
where getvariable('based')
group by s.segment, s.channel
order by s.segment, s.channel;
