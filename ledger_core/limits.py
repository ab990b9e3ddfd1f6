"""Every numeric limit of the ledger, with its unit in its name and its reason beside it."""

AMOUNT_MAX = 2**53 - 1  # minor units; the largest integer that every JSON client keeps (RFC 8259, section 6)
TOTAL_MAX = 2**63 - 1  # minor units; the largest integer that SQLite stores
ID_MAX = 2**63 - 1  # the largest rowid

LINES_PER_ENTRY_MIN = 2  # one side alone can't balance
LINES_PER_ENTRY_MAX = 500

ENTRIES_PER_BULK_MAX = 1_000  # one transaction of some tens of milliseconds

NAME_CHARS_MAX = 255
CODE_CHARS_MAX = 64
DESCRIPTION_CHARS_MAX = 1_000
IDEMPOTENCY_KEY_CHARS_MAX = 255
METADATA_PAIRS_MAX = 50
METADATA_KEY_CHARS_MAX = 64
METADATA_VALUE_CHARS_MAX = 500

COMPLAINTS_MAX = 100  # about one request: more would help nobody, and a megabyte can be wrong in a million places
FIELDS_MAX = 32  # in an object with named fields: what has more is no mistake in one of them

BODY_BYTES_MAX = 1024 * 1024  # of a write, over HTTP and on the queue

PAGE_ITEMS_DEFAULT = 50
PAGE_ITEMS_MAX = 500

HOLD_EXPIRY_S_MAX = 100 * 366 * 86_400  # a century: longer is a slip, and far below the year 9999

INSTANT_US_MIN = 0  # 1970-01-01T00:00:00Z
INSTANT_US_MAX = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z, the last that RFC 3339 can write

assert LINES_PER_ENTRY_MAX * AMOUNT_MAX <= TOTAL_MAX, "one side of an entry must fit a 64-bit sum"
assert PAGE_ITEMS_DEFAULT <= PAGE_ITEMS_MAX
