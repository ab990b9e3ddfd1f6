"""What of the benchmark can be tested without load."""
