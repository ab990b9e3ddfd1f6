-- Entries are numbered in the order of their times, so that the one from an instant on is found by its number:
-- an index of times would be one more page that each commit writes.
drop index entries_by_time;
create trigger entries_follow before insert on entries
  when new.posted_at < (select posted_at from entries where id = new.id - 1) begin
  select raise(abort, 'an entry is never posted before the one that it follows');
end;

-- The latest instant written is that of the last entry, unless something else was written since: `last_at` says when.
