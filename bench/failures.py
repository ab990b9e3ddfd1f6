"""What ends the benchmark: something was not as it must be, so that no figure of it is worth anything."""


class Failure(Exception):
    """An answer, a book or a process was not right. The text says what."""
