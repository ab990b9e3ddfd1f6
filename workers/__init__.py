"""The workers: Celery processes that own lanes and apply what comes on them to the books."""
