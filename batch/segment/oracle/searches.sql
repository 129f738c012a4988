-- searches: what became of each search. A search is new if its key is not among the
-- 10 different keys searched last before it (profile: searches_distinct).
-- One row per products_searched event. Reads sequence.
create or replace table searches as

with numbered as (
    select
        subject, session, n, kind, query_key, query_exact, results,
        count(*) filter (where kind = getvariable('kinds').products_searched) over (
            partition by subject, session order by n
        ) as search
    from sequence
    where kind in (
        getvariable('kinds').products_searched, getvariable('kinds').product_clicked,
        getvariable('kinds').product_viewed, getvariable('kinds').product_added
    )
),

asked as (
    select
        subject, session, search,
        count(*) > 1 as clicked,
        arg_min(query_key, n) as query_key,
        arg_min(query_exact, n) as exact,
        arg_min(results, n) = 0 as zero
    from numbered
    where search > 0
    group by subject, session, search
),

linked as (
    select
        *,
        lag(search) over (partition by subject, session, query_key order by search) as same_before,
        lead(search) over (partition by subject, session, query_key order by search) as same_after,
        lag(query_key) over (partition by subject, session order by search) as key_before,
        lag(clicked) over (partition by subject, session order by search) as clicked_before
    from asked
),

-- Between two searches of one key lie as many other keys as searches whose own next
-- one comes later: only long gaps can hold 10.
forgotten as (
    select a.subject, a.session, a.search
    from linked as a
    join linked as b
        on b.subject = a.subject and b.session = a.session
        and b.search > a.same_before and b.search < a.search
        and (b.same_after is null or b.same_after > a.search)
    where a.search - a.same_before > 10
    group by a.subject, a.session, a.search
    having count(*) >= 10
)

select
    l.subject, l.session, l.search, l.clicked, l.exact, l.zero,
    l.same_before is null or f.search is not null as new,
    coalesce(not l.clicked_before and l.key_before <> l.query_key, false) as reformulated
from linked as l
left join forgotten as f using (subject, session, search);
