-- One org's book. The tables defend themselves: raw SQL, from a shell too, can neither
-- change nor delete what was posted, nor post what does not balance.
-- Amounts are minor units, instants are microseconds since 1970-01-01T00:00:00Z.

create table book (
  id          integer primary key check (id = 1),
  org         text    not null,
  currency    text    not null,               -- what an account gets that names none
  created_at  integer not null,
  last_at     integer not null                -- the latest instant written; the clock of this book never goes behind it
) strict;

create table accounts (
  id              integer primary key,
  name            text    not null,
  code            text    unique,
  type            text    not null check (type in ('asset', 'liability', 'equity', 'revenue', 'expense')),
  currency        text    not null,
  overdraft_limit integer check (overdraft_limit >= 0),
  metadata        text,                       -- a JSON object, or null for none
  created_at      integer not null,
  closed_at       integer,
  debits          integer not null default 0 check (debits >= 0),
  credits         integer not null default 0 check (credits >= 0),
  held            integer not null default 0 check (held >= 0),
  version         integer not null default 0 check (version >= 0)
) strict;
create index accounts_by_type on accounts (type);

create table entries (
  id              integer primary key,
  posted_at       integer not null,
  description     text,
  idempotency_key text,
  metadata        text,
  reverses        integer references entries (id),
  hold_id         integer references holds (id),
  hash            blob    not null check (length(hash) = 32)
) strict;
create index entries_by_time on entries (posted_at);
create index entries_by_key on entries (idempotency_key) where idempotency_key is not null;
create index entries_by_hold on entries (hold_id) where hold_id is not null;
create unique index entries_by_reverses on entries (reverses) where reverses is not null;

-- A line is written before its entry, and the entry seals it. Each line carries what its
-- account stands at after it, so a balance at any instant is one seek.
create table lines (
  entry_id   integer not null references entries (id) deferrable initially deferred,
  position   integer not null check (position >= 0),
  account_id integer not null references accounts (id),
  debit      integer not null check (debit >= 0),
  credit     integer not null check (credit >= 0),
  version    integer not null,
  debits     integer not null,
  credits    integer not null,
  primary key (entry_id, position),
  check ((debit = 0) <> (credit = 0))
) strict, without rowid;
create index lines_by_account on lines (account_id, entry_id);

create table holds (
  id                 integer primary key,
  account_id         integer not null references accounts (id),
  counter_account_id integer references accounts (id) check (counter_account_id <> account_id),
  amount             integer not null check (amount > 0),
  description        text,
  metadata           text,
  idempotency_key    text,
  expires_at         integer,
  created_at         integer not null,
  captured           integer not null default 0 check (captured >= 0),
  released           integer not null default 0 check (released >= 0),
  status             text    not null default 'active' check (status in ('active', 'captured', 'released', 'expired')),
  version            integer not null default 0 check (version >= 0),
  check (captured + released <= amount),
  check ((status = 'active') = (captured + released < amount))
) strict;
create index holds_by_account on holds (account_id);
create index holds_by_status on holds (status);
create index holds_by_account_status on holds (account_id, status);
create index holds_due on holds (expires_at) where status = 'active' and expires_at is not null;
create index holds_due_by_account on holds (account_id, expires_at) where status = 'active' and expires_at is not null;

-- What happened to a hold: version 1 places it. `held` is what its account has on hold after it.
create table hold_events (
  id         integer primary key,
  hold_id    integer not null references holds (id),
  version    integer not null,
  account_id integer not null references accounts (id),
  kind       text    not null check (kind in ('placed', 'captured', 'released', 'expired')),
  captured   integer not null check (captured >= 0),
  released   integer not null check (released >= 0),
  held       integer not null,
  at         integer not null,
  entry_id   integer references entries (id),
  unique (hold_id, version),
  check ((kind = 'captured') = (captured > 0)),
  check ((kind = 'captured') = (entry_id is not null)),
  check (kind <> 'placed' or (version = 1 and released = 0))
) strict;
create index hold_events_by_account on hold_events (account_id, at);
create index hold_events_by_entry on hold_events (entry_id) where entry_id is not null;

-- One row for each write that was decided, with its outcome: what an honest retry is answered from.
create table operations (
  id              blob    primary key check (length(id) = 16),
  kind            text    not null,
  fingerprint     blob    not null check (length(fingerprint) = 32),
  submission      integer not null,            -- who started it: tells a redelivery from a retry
  submitted_at    integer not null,
  finished_at     integer not null,
  subject_id      integer,                     -- the account, entry or hold, when it was applied
  subject_version integer,                     -- a hold as it stood after this event
  refusal         text,                        -- JSON, when it was refused
  check ((subject_id is null) = (refusal is not null))
) strict, without rowid;

-- `insert or replace` deletes what it replaces without asking a delete trigger, so each table
-- refuses a second row in the place of a first before it is written.

-- The book: whose it is never changes, and its clock never goes back.
create trigger book_stays before insert on book when exists (select 1 from book) begin
  select raise(ignore);
end;
create trigger book_never_changes before update of id, org, currency, created_at on book begin
  select raise(abort, 'a book is never changed');
end;
create trigger book_never_goes_back before update of last_at on book when new.last_at < old.last_at begin
  select raise(abort, 'the clock of a book never goes back');
end;
create trigger book_never_goes before delete on book begin
  select raise(abort, 'a book is never deleted');
end;

-- The entries of a bulk that was posted whole, each with the operation that posted it.
create table bulk_entries (
  bulk         blob    not null,
  position     integer not null,
  operation_id blob    not null references operations (id),
  entry_id     integer not null references entries (id),
  primary key (bulk, position)
) strict, without rowid;

-- Posting: each line must follow the line of its account before it; the entry that seals them moves the accounts on,
-- so that lines without an entry, where foreign keys are off, move nothing.
create trigger lines_follow before insert on lines begin
  select raise(abort, 'the entry of this line is already posted')
    where exists (select 1 from entries where id = new.entry_id);
  select raise(abort, 'lines are never replaced')
    where exists (select 1 from lines where entry_id = new.entry_id and position = new.position);
  select raise(abort, 'a line must follow its account') where not (
    (new.version - 1, new.debits - new.debit, new.credits - new.credit) is (
      select version, debits, credits from lines
      where account_id = new.account_id order by entry_id desc, position desc limit 1)
    or ((new.version, new.debits, new.credits) is (1, new.debit, new.credit)
      and not exists (select 1 from lines where account_id = new.account_id)
      and exists (select 1 from accounts where id = new.account_id)));
end;
create trigger lines_never_change before update on lines begin
  select raise(abort, 'lines are never changed');
end;
create trigger lines_never_go before delete on lines begin
  select raise(abort, 'lines are never deleted');
end;

create trigger entries_balance before insert on entries begin
  select raise(abort, 'entries are numbered without gaps')
    where new.id is not (select coalesce(max(id), 0) + 1 from entries);
  select raise(abort, 'an entry is reversed once')
    where new.reverses is not null and exists (select 1 from entries where reverses = new.reverses);
  select raise(abort, 'an entry has at least two lines')
    where not exists (select 1 from lines where entry_id = new.id and position = 1);
  select raise(abort, 'debits and credits of an entry must be equal in each currency') where exists (
    select 1 from lines join accounts on accounts.id = lines.account_id where lines.entry_id = new.id
    group by accounts.currency having sum(lines.debit) <> sum(lines.credit));
end;
create trigger entries_move after insert on entries begin
  update accounts set (debits, credits, version) = (
      select debits, credits, version from lines
      where account_id = accounts.id order by entry_id desc, position desc limit 1)
    where id in (select account_id from lines where entry_id = new.id);
end;
create trigger entries_never_change before update on entries begin
  select raise(abort, 'entries are never changed');
end;
create trigger entries_never_go before delete on entries begin
  select raise(abort, 'entries are never deleted');
end;

-- Accounts: what an account is never changes; what it stands at is what its last line says.
create trigger accounts_open_empty before insert on accounts begin
  select raise(abort, 'accounts are numbered without gaps')
    where new.id is not (select coalesce(max(id), 0) + 1 from accounts);
  select raise(abort, 'a code belongs to one account')
    where new.code is not null and exists (select 1 from accounts where code = new.code);
  select raise(abort, 'an account is opened empty')
    where new.debits <> 0 or new.credits <> 0 or new.held <> 0 or new.version <> 0 or new.closed_at is not null;
end;
create trigger accounts_never_change before update of id, name, code, type, currency, overdraft_limit, metadata, created_at on accounts begin
  select raise(abort, 'accounts are never changed');
end;
create trigger accounts_stand before update of debits, credits, version on accounts begin
  select raise(abort, 'an account stands at its last line') where (new.debits, new.credits, new.version) is not (
    select debits, credits, version from lines where account_id = new.id order by entry_id desc, position desc limit 1);
end;
create trigger accounts_hold before update of held on accounts begin
  select raise(abort, 'an account holds what its last hold event says') where new.held is not (
    select held from hold_events where account_id = new.id order by at desc, id desc limit 1);
end;
create trigger accounts_close before update of closed_at on accounts begin
  select raise(abort, 'an account is closed once, and empty')
    where old.closed_at is not null or new.closed_at is null or old.debits <> old.credits or old.held <> 0;
end;
create trigger accounts_never_go before delete on accounts begin
  select raise(abort, 'accounts are never deleted');
end;

-- Holds: each event must follow the hold and the account as they stand, and moves both on.
create trigger holds_place before insert on holds begin
  select raise(abort, 'holds are numbered without gaps')
    where new.id is not (select coalesce(max(id), 0) + 1 from holds);
  select raise(abort, 'a hold is placed whole')
    where new.captured <> 0 or new.released <> 0 or new.status <> 'active' or new.version <> 0;
end;
create trigger hold_events_follow before insert on hold_events
  when exists (select 1 from hold_events where id = new.id) begin
  select raise(abort, 'hold events are never replaced');
end;
create trigger hold_events_move after insert on hold_events begin
  update holds set
      captured = captured + new.captured, released = released + new.released, version = new.version,
      status = iif(captured + new.captured + released + new.released < amount, 'active', new.kind)
    where id = new.hold_id and account_id = new.account_id and version = new.version - 1 and status = 'active'
      and (new.kind not in ('released', 'expired') or released + new.released + captured = amount);
  select raise(abort, 'a hold event must follow its hold') where changes() = 0;
  update accounts set held = new.held
    where id = new.account_id
      and held - new.captured - new.released
          + iif(new.kind = 'placed', (select amount from holds where id = new.hold_id), 0) = new.held;
  select raise(abort, 'a hold event must follow its account') where changes() = 0;
end;
create trigger hold_events_never_change before update on hold_events begin
  select raise(abort, 'hold events are never changed');
end;
create trigger hold_events_never_go before delete on hold_events begin
  select raise(abort, 'hold events are never deleted');
end;
create trigger holds_never_change before update of id, account_id, counter_account_id, amount, description, metadata,
    idempotency_key, expires_at, created_at on holds begin
  select raise(abort, 'holds are never changed');
end;
create trigger holds_stand before update of captured, released, version, status on holds begin
  select raise(abort, 'a hold stands at its last event') where (new.captured, new.released, new.version) is not (
    select sum(captured), sum(released), max(version) from hold_events where hold_id = new.id);
  select raise(abort, 'a hold is what its last event made it') where new.status <> 'active' and new.status is not (
    select kind from hold_events where hold_id = new.id order by version desc limit 1);
end;
create trigger holds_never_go before delete on holds begin
  select raise(abort, 'holds are never deleted');
end;

-- An outcome, once recorded, never flips.
create trigger operations_stay before insert on operations
  when exists (select 1 from operations where id = new.id) begin
  select raise(abort, 'outcomes are never replaced');
end;
create trigger operations_never_change before update on operations begin
  select raise(abort, 'outcomes are never changed');
end;
create trigger operations_never_go before delete on operations begin
  select raise(abort, 'outcomes are never deleted');
end;

create trigger bulk_entries_stay before insert on bulk_entries
  when exists (select 1 from bulk_entries where bulk = new.bulk and position = new.position)
    or not exists (select 1 from operations where id = new.bulk and kind = 'bulk'
      and new.position between 0 and subject_id - 1) begin
  select raise(abort, 'a bulk has as many entries as its outcome says, and they are never replaced');
end;
create trigger bulk_entries_never_change before update on bulk_entries begin
  select raise(abort, 'the entries of a bulk are never changed');
end;
create trigger bulk_entries_never_go before delete on bulk_entries begin
  select raise(abort, 'the entries of a bulk are never deleted');
end;
