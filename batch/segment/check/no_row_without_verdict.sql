-- No exported row without a member, a published group and an admitting verdict of its
-- own case (EXP-01).
select e.segment, e.channel, count(*) as rows
from exports as e
left join candidates as c using (segment, channel, person)
left join (from export_verdicts where not small) as v using (case_no)
left join members as m using (segment, person)
where not coalesce(v.allowed, false) or m.person is null
group by e.segment, e.channel
order by e.segment, e.channel;
