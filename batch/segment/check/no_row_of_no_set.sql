-- Every row of the written deltas, revocations and tombstones is of a segment and channel that
-- the night knows: the other checks find a row by its set (EXP-06).
select kind, count(*) as rows
from (
    select 'delta' as kind, set_no
    from changed_rows
    union all
    select 'revocations' as kind, set_no
    from recalled
    union all
    select 'tombstones' as kind, set_no
    from buried
)
where set_no is null
group by kind
order by kind;
