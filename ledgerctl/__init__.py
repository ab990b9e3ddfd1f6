"""The operator's command. It may import everything; nothing imports it."""

VERSION = "0.1.0"  # as in pyproject.toml, which an image does not have
