-- Writes that were accepted and have no outcome yet, and commands that were set aside for an operator.

create table accepted (
  id              integer primary key,
  operation_id    blob    not null check (length(operation_id) = 16),
  org             text    not null,
  kind            text    not null,
  command         text    not null,            -- JSON
  fingerprint     blob    not null check (length(fingerprint) = 32),
  submission      integer not null,
  request_id      text    not null,
  submitted_at    integer not null,
  unique (operation_id, fingerprint)
) strict;

create table set_aside (
  id      integer primary key,
  org     text,
  message text    not null,                     -- what came, as it came
  cause   text    not null,
  at      integer not null
) strict;
