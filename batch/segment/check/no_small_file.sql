-- No file of a segment may be small enough to point at a person (EXP-07).
select segment, channel, rows
from written
where kind = 'segment' and rows < getvariable('k')
order by segment, channel;
