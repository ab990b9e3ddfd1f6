"""The benchmark: each row is this project beside a ceiling or another way, measured in the same run."""
