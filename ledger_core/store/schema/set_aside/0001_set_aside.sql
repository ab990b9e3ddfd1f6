-- What could not be carried out, kept for an operator, and the orgs whose books can't be used.
-- Instants are microseconds since 1970-01-01T00:00:00Z.

create table items (
  id           integer primary key autoincrement,  -- an operator names it: no number is used twice
  form         text    not null check (form in ('command', 'task', 'stray')),
  org          text,
  kind         text,
  operation_id blob    check (length(operation_id) = 16),
  submission   integer,
  request_id   text,
  submitted_at integer,
  lane         text,                               -- the queue that it came on
  body         blob    not null,                   -- as it came
  is_whole     integer not null check (is_whole in (0, 1)),
  is_told      integer not null check (is_told in (0, 1)),  -- whoever sent it was told that it failed
  cause        text    not null,
  digest       blob    not null unique,            -- of what it is: one that comes again is counted
  first_at     integer not null,
  last_at      integer not null,
  times        integer not null check (times > 0)
) strict;
create index items_by_operation on items (operation_id) where operation_id is not null;

create table outages (
  org     text    primary key,
  cause   text    not null,
  since   integer not null,
  seen_at integer not null
) strict, without rowid;

create table let_go (
  id    integer primary key check (id = 1),
  items integer not null                            -- how many items made room for later ones
) strict;
insert into let_go values (1, 0);
