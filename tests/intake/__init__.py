"""What intake does by itself, with fakes for the clock and the queue only."""
