"""A program that is newer than this one: its files go through one more schema step, which moves and adds things."""

import pytest

from ledger_core import verify
from ledger_core.store import scan
from ledger_core.store.versions import STEPS, FileKind

BOOK_STEP = """
    alter table accounts add column note text;
    create table notes (
      id         integer primary key,
      account_id integer not null references accounts (id),
      note       text    not null
    ) strict;
    insert into notes (account_id, note) select id, name from accounts order by id;
    create trigger notes_never_go before delete on notes begin
      select raise(abort, 'notes are never deleted');
    end;

    -- what others refer to is rebuilt, as sqlite.org/lang_altertable.html has it
    create table bulk_entries_new (
      bulk         blob    not null,
      position     integer not null,
      operation_id blob    not null references operations (id),
      entry_id     integer not null references entries (id),
      at           integer not null default 0,
      primary key (bulk, position)
    ) strict, without rowid;
    insert into bulk_entries_new (bulk, position, operation_id, entry_id)
      select bulk, position, operation_id, entry_id from bulk_entries;
    drop table bulk_entries;
    alter table bulk_entries_new rename to bulk_entries;
    create table orders (id integer primary key, account_id integer references accounts (id)) strict;
"""
REGISTRY_STEP = "alter table orgs add column note text"
INBOX_STEP = "alter table accepted add column note text"
WIDTHS = {  # how many columns the tables of this program have, which the newer one leaves as they are
    "book": 5, "accounts": 13, "entries": 8, "lines": 8, "holds": 13, "hold_events": 10, "operations": 9,
    "bulk_entries": 4, "orgs": 4, "api_keys": 6, "accepted": 9, "set_aside": 5,
}  # fmt: skip
OURS = {kind: len(STEPS[kind]) for kind in FileKind}  # the schema version of this program's files
STEP = {FileKind.BOOK: BOOK_STEP, FileKind.REGISTRY: REGISTRY_STEP, FileKind.INBOX: INBOX_STEP}


def install(patch: pytest.MonkeyPatch, book_step: str = BOOK_STEP) -> None:
    """Make this program the newer one."""
    for kind, step in {**STEP, FileKind.BOOK: book_step}.items():
        patch.setitem(STEPS, kind, [*STEPS[kind], step])
    if book_step == BOOK_STEP:
        patch.setattr(verify, "GUARDS", scan.guards_of_new())


def uninstall(patch: pytest.MonkeyPatch) -> None:
    """Make this program the older one again."""
    for kind in FileKind:
        patch.setitem(STEPS, kind, STEPS[kind][: OURS[kind]])
    patch.setattr(verify, "GUARDS", scan.guards_of_new())
