"""The operator's command. It may import everything; nothing imports it."""
