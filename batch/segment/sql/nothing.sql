-- nothing: the tables of a snapshot that holds nothing. Every later table can be made
-- from them, so shapes are known, and predicates checked, before any data is read.
create or replace table no_events (
    bucket integer,
    subject uuid,
    message_key uuid,
    kind integer,
    occurred_ms bigint,
    received_ms bigint,
    purposes bigint,
    cases bigint[],
    keeps bigint[],
    policy varchar,
    f struct(
        product_id varchar, category varchar, product_class varchar, price_cents bigint, quantity bigint,
        items struct(product_id varchar, quantity bigint, price_cents bigint)[],
        product_variant varchar, query_key bigint, query_words varchar[], query_exact boolean, results bigint,
        cart_cents bigint, order_key bigint, currency varchar, step bigint, error_class varchar,
        decision_id varchar, slot varchar, slot_variant varchar, page_type varchar, referrer_host varchar,
        ua_family varchar, ip_prefix varchar, locale varchar, hour_band varchar, dwell_ms bigint,
        authenticated boolean
    )
);

create or replace view events as select * exclude (f), f.* from no_events;

create or replace table no_standings (
    subject uuid, purpose varchar, status varchar, since_ms bigint, until_ms bigint, explicit boolean, version bigint,
    notice varchar, doi_confirmed boolean, lifts boolean
);

create or replace table no_subjects (
    subject uuid, scope varchar, restricted boolean, age_band varchar, objected boolean, objections varchar[], suppressed varchar[]
);

create or replace view standings as from no_standings;

create or replace view subjects as from no_subjects;

create or replace table links (device uuid, account uuid);

create or replace table products (
    product_id varchar, category varchar, product_class varchar, price_cents bigint, stock bigint, tags varchar[]
);

create or replace table category_tags (category varchar, tags bigint);

create or replace table ingest_cases (case_id bigint, tag varchar, age varchar, gpc boolean, dnt boolean);

create or replace table verdicts (case_id bigint, state varchar, tag varchar, age varchar, allowed boolean, keep bigint);

create or replace table micro (person uuid, micro_segment bigint);

create or replace table values_expected (
    person uuid, expected_orders_x1000 bigint, alive_pct bigint, expected_value_cents bigint
);

create or replace table left_out (person uuid);
