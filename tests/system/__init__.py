"""The real stack: a real Celery worker, a real Valkey, real HTTP."""
