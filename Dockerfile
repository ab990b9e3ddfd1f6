# One image for intake, workers and ledgerctl; docker-compose.yml says which of them a container runs.
# An exact version; `docker buildx imagetools inspect` tells its digest to who wants to pin that too.
FROM python:3.11.14-slim-bookworm

# The ids are fixed, so that a data folder keeps its owner from one image to the next.
# A new volume takes its owner and mode from this folder.
RUN groupadd --gid 10001 ledger \
 && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin ledger \
 && install -d -m 0700 -o 10001 -g 10001 /data

# Before the sources, which change more often.
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --root-user-action=ignore \
    --only-binary=:all: --require-hashes -r requirements.txt

# Readable to all whatever umask they were checked out with, and compiled here: the root is read-only later.
COPY . ./
RUN chmod -R a+rX . \
 && python -m compileall -q . \
 && printf '#!/bin/sh\nexec python -m ledgerctl "$@"\n' >/usr/local/bin/ledgerctl \
 && chmod 755 /usr/local/bin/ledgerctl

ENV PYTHONPATH=/app PYTHONSAFEPATH=1 PYTHONUNBUFFERED=1 LEDGER_DATA=/data LEDGER_HOST=0.0.0.0
USER 10001:10001
EXPOSE 8080
CMD ["python", "-m", "intake"]
