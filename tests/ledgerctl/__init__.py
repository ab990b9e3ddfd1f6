"""The operator's command, run in this process."""
