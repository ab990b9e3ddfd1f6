"""What a book decides: pure functions from what was loaded, a command and an instant to what changes, or a refusal."""
