-- loops: returns from a product to the one viewed before it, repeats in a row taken
-- as one view (profile: compare_loops).
-- One row per session with a product viewed. Reads sequence.
create or replace table loops as

with views as (
    select
        subject, session, n, product_id,
        lag(product_id) over (partition by subject, session order by n) as before
    from sequence
    where kind = getvariable('kinds').product_viewed and product_id <> ''
),

moves as (
    select
        subject, session,
        product_id = lag(product_id, 2) over (partition by subject, session order by n) as back
    from views
    where before is null or before <> product_id
)

select subject, session, count(*) filter (where back) as loops
from moves
group by subject, session;
