-- export_rows: the rows that leave, one by one.
-- One row per set and key. Reads exports, segment_names, row_sets.
create or replace table export_rows as

select s.set_no, e.key
from exports as e
join (from row_sets join segment_names using (segment)) as s
    on s.channel = e.channel and get_bit(e.segments, s.place) = 1;
