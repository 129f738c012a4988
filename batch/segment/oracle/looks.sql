-- looks: the product runs of each session. A run is what a session remembers of a
-- product until 20 other products were touched (profile: product run); its time is
-- that of its looks, 10 minutes at most each.
-- One row per product run. Reads sequence.
create or replace table looks as

with touches as (
    select
        subject, session, n, product_id, product_variant,
        kind = getvariable('kinds').product_viewed as viewed,
        row_number() over (partition by subject, session order by n) as touch,
        least(600000, if(dwell_ms > 0, dwell_ms, greatest(0, coalesce(next_ms - occurred_ms, 0)))) as ms
    from sequence
    where product_id <> ''
      and kind in (
          getvariable('kinds').product_viewed, getvariable('kinds').variant_selected,
          getvariable('kinds').size_guide_opened
      )
),

linked as (
    select
        *,
        lag(touch) over (partition by subject, session, product_id order by touch) as same_before,
        lead(touch) over (partition by subject, session, product_id order by touch) as same_after
    from touches
),

forgotten as (
    select a.subject, a.session, a.touch
    from linked as a
    join linked as b
        on b.subject = a.subject and b.session = a.session
        and b.touch > a.same_before and b.touch < a.touch
        and (b.same_after is null or b.same_after > a.touch)
    where a.touch - a.same_before > 20
    group by a.subject, a.session, a.touch
    having count(*) >= 20
),

runs as (
    select
        l.*,
        count(f.touch) over (partition by l.subject, l.session, l.product_id order by l.touch) as run
    from linked as l
    left join forgotten as f using (subject, session, touch)
),

told as (
    select
        *,
        product_variant <> '' and product_variant <> last_value(nullif(product_variant, '') ignore nulls) over (
            partition by subject, session, product_id, run order by touch
            rows between unbounded preceding and 1 preceding
        ) as flipped
    from runs
)

select
    subject, session, product_id, run,
    count(*) filter (where viewed) as views,
    count(*) filter (where flipped) as flips,
    sum(ms)::bigint as ms
from told
group by subject, session, product_id, run;
