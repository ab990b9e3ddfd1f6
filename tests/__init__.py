"""Tests, in folders named for the packages that they are about; `system` runs the real stack."""
