#!/usr/bin/env bash
# Try docker-compose.yml for real, in a project of its own: write, crash, stop, start again, and lose nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

export LEDGER_IMAGE=ff-ledger-smoke LEDGER_PUBLISH=127.0.0.1:0 LEDGER_REDIS_PASSWORD=smoke-$RANDOM
compose() { docker compose -p ff-ledger-smoke "$@"; }
quietly() { compose "$@" >"$log" 2>&1 || { cat "$log" >&2; return 1; }; }
log=$(mktemp)
trap 'compose down -v >/dev/null 2>&1; rm -f "$log"' EXIT

start() { # also after an end: the published port may be another one
  quietly up "$@" --wait
  url=http://$(compose port intake 8080)
}

post() { # RESOURCE BODY: the answer with its headers
  curl -sS -i --fail-with-body --max-time 40 --retry 20 --retry-delay 1 --retry-all-errors "$url/v1/$1" \
    -H 'X-Org-Slug: acme-corp' -H "X-Api-Key: $key" -H 'Content-Type: application/json' -d "$2"
}

entry() { # KEY: cash from a customer
  post entries "{\"idempotency_key\": \"$1\", \"lines\": [
    {\"account_id\": 1, \"amount\": 50000, \"direction\": \"debit\"},
    {\"account_id\": 2, \"amount\": 50000, \"direction\": \"credit\"}]}"
}

crash() { # SERVICE: end its process from within (by way of Docker it would stay ended); Docker starts it again
  local container restarts
  container=$(compose ps -q "$1")
  restarts=$(docker inspect -f '{{.RestartCount}}' "$container")
  if [ "$1" = redis ]; then
    compose exec -T redis redis-cli shutdown nosave || true
  else
    compose exec -T "$1" sh -c 'for p in /proc/[0-9]*; do
      if [ "${p#/proc/}" != 1 ] && grep -qa "^python" "$p/cmdline"; then kill -9 "${p#/proc/}"; fi; done' || true
  fi
  timeout 30 sh -c "until [ \$(docker inspect -f '{{.RestartCount}}' $container) -gt $restarts ]; do sleep 0.1; done"
}

inside() { # SERVICE SCRIPT: run it in the service's container, as its user
  compose exec -T "$1" sh -euc "$2"
}

locked_down() { # SERVICE: it is nobody, can gain nothing, write nowhere but where it must, and shows no password
  # shellcheck disable=SC2016
  inside "$1" '
    test "$(id -u)" != 0
    grep -qE "^CapEff:[[:space:]]0+$" /proc/1/status
    grep -qE "^CapBnd:[[:space:]]0+$" /proc/1/status
    grep -qE "^NoNewPrivs:[[:space:]]1$" /proc/1/status
    grep -qE "^Max core file size +0 +0 " /proc/1/limits
    for place in / /app /etc /usr/bin /var /root; do
      if (: >"$place/written") 2>/dev/null; then echo "$place can be written"; exit 1; fi
    done
    printf "#!/bin/sh\n" >/tmp/program
    chmod 755 /tmp/program
    if /tmp/program 2>/dev/null; then echo "/tmp can hold programs"; exit 1; fi
    rm /tmp/program'
  inside "$1" 'for process in /proc/[0-9]*; do tr "\0" " " <"$process/cmdline" 2>/dev/null || true; echo; done' >"$log"
  if grep -qF "$LEDGER_REDIS_PASSWORD" "$log"; then echo "$1 shows the password in its processes" >&2; return 1; fi
  docker inspect -f '{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}' "$(compose ps -q "$1")" | grep -x '1073741824 256'
  echo "$1 is locked down"
}

start --build
for service in redis workers intake; do locked_down $service; done
inside workers 'test "$(stat -c "%a %u" /data)" = "700 10001"'
inside workers 'if python -c "import socket; socket.create_connection((\"192.0.2.1\", 80), 2)" 2>/dev/null; then exit 1; fi'
inside redis 'unset REDISCLI_AUTH; redis-cli ping' | grep NOAUTH
if compose port redis 6379 2>/dev/null | grep -q ':[1-9]'; then echo 'the broker is published' >&2; exit 1; fi
key=$(compose exec -T intake ledgerctl org create acme-corp --json | sed -E 's/.*"api_key": "([^"]+)".*/\1/')
post accounts '{"name": "Cash", "type": "asset"}' | grep '"id":1,'
post accounts '{"name": "Customer balances", "type": "liability"}' | grep '"id":2,'
entry deposit-1 | grep '"id":1,'

crash workers
entry deposit-2 | grep '"id":2,'
crash redis
entry deposit-3 | grep '"id":3,'
crash intake
start
entry deposit-4 | grep '"id":4,'

quietly stop
for container in $(compose ps -aq); do
  docker inspect -f '{{.Name}} ended with {{.State.ExitCode}}' "$container" | grep ' 0$'
done
quietly down
start
entry deposit-1 | grep -i '^Idempotency-Replayed: true'
if compose logs --no-color 2>&1 | grep -F -e "$key" -e "$LEDGER_REDIS_PASSWORD"; then
  echo 'a secret is in the logs' >&2
  exit 1
fi
inside intake 'test -z "$(find /data ! -user 10001 -o -type f ! -perm 600 -o -type d ! -perm 700)"'
compose exec -T intake ledgerctl verify | grep 'acme-corp: right; 4 entries'
