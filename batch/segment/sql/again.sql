-- again: a schema with the rows of two readings of consent that differ, and with the rows of
-- accounts that they are to be folded with (CON-14). A device differs if its account does; if it
-- was linked to another its own row of links does. What is folded in here is what the whole
-- second reading would give of them.
-- Reads differing, standings, standings_before, subjects, links, signatures, persons.
insert into differing
select device
from links
where account in (from differing) and device not in (from differing);

drop schema if exists again cascade;

create schema again;

create table again.links as from links where device in (from differing);

create table again.accompanied as
select subject from differing
union
select account from again.links;

create table again.standings as from standings where subject in (from again.accompanied);

create table again.standings_before as from standings_before where subject in (from differing);

create table again.subjects as from subjects where subject in (from again.accompanied);

create table again.signatures_before as from signatures where subject in (from differing);

create table again.persons_before as from persons where subject in (from differing);
