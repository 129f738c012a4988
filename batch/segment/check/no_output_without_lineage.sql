-- Every file says what it was made of, for which purposes, and when it expires, at most 30
-- days from now; a recipient's rows under its channel's own purpose too (BAT-08).
select w.file
from written as w
left join lineage as l on l.name = w.file
left join channels as c on c.channel = w.channel
group by w.file, w.kind
having count(l.name) = 0
    or max(l.expires) > getvariable('until_day')::timestamp
    or (w.kind = 'segment' and count(*) filter (where l.purpose = c.purpose) = 0)
order by w.file;
