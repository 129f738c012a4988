-- row_sets: the sets of rows that a recipient gets, or got, numbered in their order. Rows
-- bear the number in place of the names.
-- One row per channel and segment. Reads segment_names, channels, sets_before.
create or replace table row_sets as

select
    (row_number() over (order by channel, segment) - 1)::uinteger as set_no,
    channel,
    segment
from (
    select c.channel, n.segment
    from channels as c
    cross join segment_names as n
    union
    select channel, segment
    from sets_before
);
