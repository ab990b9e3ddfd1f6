"""The files: the only SQL of the project, and the only place that opens SQLite."""
