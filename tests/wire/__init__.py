"""What travels between callers, intake and workers."""
