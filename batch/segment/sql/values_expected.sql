-- values_expected: what each buyer is expected to bring within the horizon: order days and
-- probability of still being a customer by history (table expectations), the worth of an
-- order by the person's own mean, drawn towards everybody's (Gamma-Gamma, note 025, eq. 5).
-- One row per person who bought. Reads histories, expectations.
create or replace table values_expected as

with means as (
    select h.*, h.repeats + 1 as orders, h.cents / (h.repeats + 1) as mean_cents
    from histories as h
)

select
    m.person,
    round(e.orders * 1000)::bigint as expected_orders_x1000,
    round(e.alive * 100)::bigint as alive_pct,
    round(e.orders * case
        when getvariable('spend_p') <= 0 then 0
        when m.mean_cents > 0 then getvariable('spend_p') * (100 * getvariable('spend_gamma') + m.orders * m.mean_cents)
            / (getvariable('spend_p') * m.orders + getvariable('spend_q') - 1)
        else getvariable('spend_p') * 100 * getvariable('spend_gamma') / (getvariable('spend_q') - 1)
    end)::bigint as expected_value_cents
from means as m
join expectations as e using (trail, age_days);
