-- export_cases: the distinct cases of tonight's candidates, numbered. kind_cases then have
-- the number in place of the facts.
-- One row per case. Reads kind_cases.
create or replace table export_cases as

select
    row_number() over (
        order by channel, state, source::varchar, gpc, dnt, tag::varchar, age::varchar,
            objected, suppressed, confirmed, named, ordered, alike
    )::integer as case_no,
    *
from (
    select distinct channel, state, source, gpc, dnt, tag, age, objected, suppressed, confirmed, named, ordered, alike
    from kind_cases
);

create or replace table kind_cases as
select c.kind, c.channel, c.segments, e.case_no
from kind_cases as c
join export_cases as e using (
    channel, state, source, gpc, dnt, tag, age, objected, suppressed, confirmed, named, ordered, alike
);
