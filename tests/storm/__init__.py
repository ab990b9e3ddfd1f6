"""The storm: the real stack under mixed load while everything around it fails, and the audit of what it answered."""
