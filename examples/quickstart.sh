#!/bin/sh
# A walk through the ledger with curl. In one terminal: make run. In another: sh examples/quickstart.sh
#
# BASE_URL  where the ledger listens                 [http://127.0.0.1:8080]
# ORG       an org without accounts, and KEY, a key of it [a new org, made with ledgerctl in the folder LEDGER_DATA]
#
# What it prints is recorded, without times and the ids of requests:
# sh examples/quickstart.sh | sed -E -f examples/quickstart.sed >examples/quickstart.out
set -eu

BASE_URL=${BASE_URL:-http://127.0.0.1:8080}
if [ -z "${ORG:-}" ]; then
  ORG=quickstart-$$
  KEY= # one in the environment belongs to another org
fi
if [ -z "${KEY:-}" ]; then
  KEY=$(${LEDGERCTL:-.venv/bin/ledgerctl} org create "$ORG" --json | sed 's/.*"api_key": "\([^"]*\)".*/\1/')
fi
HEADERS=$(mktemp)
trap 'rm -f "$HEADERS"' EXIT

say() {
  printf '\n# %s\n' "$*"
}

# call METHOD PATH [BODY [KEY]]: show a request, its status, whether it is a first answer again, and its body.
call() {
  printf '%s %s%s%s\n' "$1" "$2" "${4:+ Idempotency-Key: $4}" "${3:+ $3}"
  body=$(curl -sS -D "$HEADERS" -X "$1" "$BASE_URL$2" -H "X-Org-Slug: $ORG" -H "X-Api-Key: $KEY" \
    ${3:+-H 'Content-Type: application/json' -d "$3"} ${4:+-H "Idempotency-Key: $4"})
  sed -n -e 's/^HTTP[^ ]* \([0-9]*\).*/  \1/p' -e 's/^\([Ii]dempotency-[Rr]eplayed: true\).*/  \1/p' "$HEADERS"
  printf '  %s\n' "$body"
}

say "Two accounts: cash, which we have, and customers' balances, which we owe and which may not go below zero."
call POST /v1/accounts '{"name": "Cash", "type": "asset", "code": "1000"}' open-cash
call POST /v1/accounts '{"name": "Customers", "type": "liability", "code": "2000", "overdraft_limit": 0}' open-customers

say "A customer deposits 500.00: amounts are in minor units. Debits equal credits."
DEPOSIT='{"description": "Deposit", "lines": [{"account_id": 1, "amount": 50000, "direction": "debit"}, {"account_id": 2, "amount": 50000, "direction": "credit"}]}'
call POST /v1/entries "$DEPOSIT" deposit-1

say "The answer was lost on the way? Send the same with the same key: it is the first answer, and no second entry."
call POST /v1/entries "$DEPOSIT" deposit-1

say "What the customers' account stands at."
call GET /v1/accounts/2/balance

say "A hold reserves 25.00 of it, for an order that is to be paid out in cash."
call POST /v1/holds '{"account_id": 2, "counter_account_id": 1, "amount": 2500, "description": "Order 981"}' order-981
call GET /v1/accounts/2/balance

say "What is held can't be spent: an entry for all of the balance is refused, and moves nothing."
call POST /v1/entries '{"lines": [{"account_id": 2, "amount": 50000, "direction": "debit"}, {"account_id": 1, "amount": 50000, "direction": "credit"}]}' too-much

say "The order comes to 20.00: a capture takes them, and the rest of the hold goes back."
call POST /v1/holds/1/capture '{"amount": 2000}' order-981-paid

say "Another hold, for an order that is called off: a release gives all of it back."
call POST /v1/holds '{"account_id": 2, "counter_account_id": 1, "amount": 700, "description": "Order 982"}' order-982
call POST /v1/holds/2/release '{}' order-982-off

say "The trial balance: debits equal credits."
call GET /v1/reports/trial-balance
