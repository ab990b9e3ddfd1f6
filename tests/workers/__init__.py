"""What a worker does with real books."""
