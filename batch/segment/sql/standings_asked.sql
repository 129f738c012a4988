-- standings_asked: how subjects stand to the purposes that exports ask about, numbered: few
-- standings occur, so that all of a subject's are a bit each.
-- One row per standing. Reads standings_now, channels, purposes.
create or replace table standings_asked as

select
    row_number() over (order by bit, status, notice, doi_confirmed, lifts)::integer - 1 as no,
    *
from (
    select distinct bit, status, notice, doi_confirmed, lifts
    from standings_now
    where bit in (
        select bit from channels
        union
        select bit from purposes where purpose = getvariable('basis')
    )
);

set variable last_standing = (select coalesce(max(no), 0) from standings_asked);
