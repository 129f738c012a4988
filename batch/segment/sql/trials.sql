-- trials: the lots that were drawn in the last 90 days, as their decision records
-- tell them, and how contacts ended. Filled by night.readLog.
-- offered: one row per offer of a human that was made or held out, with the features
-- that the ladder saw, in the order of variable trial_features.
-- contents: one row per content that was drawn for a known subject, with all that could
-- have been, in order.
-- contacts: one row per contact that an adviser closed.
create or replace table offered (
    decision_id varchar, subject uuid, at_ms bigint, held_out boolean, ppm bigint, need bigint, scorecard varchar, features bigint[]
);

create or replace table contents (
    decision_id varchar, subject uuid, at_ms bigint, slot varchar, segment varchar, variant varchar, eligible varchar, ppm bigint, weights varchar
);

create or replace table contacts (decision_id varchar, outcome varchar);
