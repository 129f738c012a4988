-- deltas: what changed since the last published night, the base: which rows are new and
-- which went. Whoever holds the base's files and applies it holds tonight's; as_of and
-- until of the rows that stay are tonight's too. Without a base there are none.
-- One row per set and key that changed. Reads deliveries.
create or replace table deltas as

select set_no, key, change
from deliveries
where change is not null and getvariable('based');
