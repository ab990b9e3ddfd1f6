"""One module for each noun: what its URLs do. A responder parses, submits or reads, and renders."""
