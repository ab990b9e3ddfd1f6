-- Entries are numbered in the order of their times, so that the one from an instant on is found by its number:
-- an index of times would be one more page that each commit writes.
drop index entries_by_time;

-- The latest instant written is that of the last entry, unless something else was written since: `last_at` says when.
-- So no entry is posted before the one that it follows.
drop trigger entries_balance;
create trigger entries_balance before insert on entries begin
  select raise(abort, 'entries are numbered without gaps')
    where new.id is not (select coalesce(max(id), 0) + 1 from entries);
  select raise(abort, 'an entry is never posted before the one that it follows')
    where new.posted_at < (select posted_at from entries where id = new.id - 1);
  select raise(abort, 'an entry is reversed once')
    where new.reverses is not null and exists (select 1 from entries where reverses = new.reverses);
  select raise(abort, 'an entry has at least two lines')
    where not exists (select 1 from lines where entry_id = new.id and position = 1);
  select raise(abort, 'debits and credits of an entry must be equal in each currency') where exists (
    select 1 from lines join accounts on accounts.id = lines.account_id where lines.entry_id = new.id
    group by accounts.currency having sum(lines.debit) <> sum(lines.credit));
end;
