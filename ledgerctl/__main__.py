"""`python -m ledgerctl`: the same as `ledgerctl`."""

from ledgerctl.cli import main

main()
