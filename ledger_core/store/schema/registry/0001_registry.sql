-- The orgs of this data folder, and digests of their API keys. A key itself is never here.

create table orgs (
  slug       text    primary key,
  name       text    not null,
  currency   text    not null,
  created_at integer not null
) strict, without rowid;

create table api_keys (
  org        text    not null references orgs (slug),
  id         text    not null,
  digest     blob    not null check (length(digest) = 32),
  scope      text    not null check (scope in ('full', 'read-only')),
  created_at integer not null,
  revoked_at integer,
  primary key (org, id)
) strict, without rowid;
