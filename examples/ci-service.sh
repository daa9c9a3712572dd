#!/usr/bin/env bash
# A smoke test of the main job by curl: customer → session → link → transactions.
#
#   examples/ci-service.sh [path of the bankfeed binary]
#   BANKFEED_URL=http://127.0.0.1:12111 examples/ci-service.sh
#
# Without BANKFEED_URL it starts a server of its own on a free port, in memory, and stops it at the
# end. Exits 0 only if every step returned the expected result. Every wait is for a named condition and
# has a bound.
set -euo pipefail

binary=${1:-target/debug/bankfeed}
key=sk_test_smoke
wait_s_max=${WAIT_S_MAX:-30}
folder=$(mktemp -d)
server=

fail() {
  echo "ci-service: $*" >&2
  if [ -s "$folder/log" ]; then tail -n 20 "$folder/log" >&2; fi
  exit 1
}

stop() {
  local status=$?
  if [ -n "$server" ]; then
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || { [ "$status" -ne 0 ] || status=1; }
  fi
  rm -rf "$folder"
  exit "$status"
}
trap stop EXIT

# until_true WHAT COMMAND…: runs the command until it succeeds, at most wait_s_max seconds long.
# The pause is a read from a pipe without a writer.
mkfifo "$folder/pause"
exec 9<>"$folder/pause"
until_true() {
  local what=$1 end=$((SECONDS + wait_s_max))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || fail "$what: not within $wait_s_max seconds"
    read -r -t 0.05 -u 9 || true
  done
}

is_ready() {
  kill -0 "$server" 2>/dev/null || fail "the server ended before it was ready"
  [ -s "$folder/ready" ]
}

# call METHOD PATH [parameter…]: leaves the body in $folder/body, prints the status.
call() {
  local method=$1 path=$2
  shift 2
  local data=()
  for parameter in "$@"; do data+=(--data-urlencode "$parameter"); done
  [ "$method" != GET ] || data+=(--get)
  curl --silent --show-error --max-time 10 --user "$key:" --request "$method" "${data[@]}" \
    --output "$folder/body" --write-out '%{http_code}' "$url$path"
}

# need METHOD PATH [parameter…]: the same, and anything but 200 is a failure.
need() {
  local status
  status=$(call "$@") || fail "$1 $2: no response"
  [ "$status" = 200 ] || fail "$1 $2: $status $(cat "$folder/body")"
}

# id PREFIX: the first id of this kind in the last body.
id() {
  local found
  found=$(grep --only-matching --extended-regexp "\"$1[0-9A-Za-z]{24}\"" "$folder/body" | head -n 1)
  [ -n "$found" ] || fail "no $1 in: $(cat "$folder/body")"
  tr -d '"' <<<"$found"
}

if [ -n "${BANKFEED_URL:-}" ]; then
  url=$BANKFEED_URL
else
  [ -x "$binary" ] || fail "$binary is no program; build it, or set BANKFEED_URL"
  "$binary" serve --memory --listen 127.0.0.1:0 --ready-file "$folder/ready" \
    >"$folder/log" 2>&1 &
  server=$!
  until_true "the ready file" is_ready
  url=$(cat "$folder/ready")
fi
echo "bankfeed at $url"

need POST /v1/customers email=smoke@example.com
customer=$(id cus_)
echo "customer $customer"

need POST /v1/financial_connections/sessions 'account_holder[type]=customer' \
  "account_holder[customer]=$customer" 'permissions[]=transactions' 'prefetch[]=transactions'
session=$(id fcsess_)
echo "session $session"

need POST /v1/test_helpers/financial_connections/link "carrier=$session" \
  'institution=Test (OAuth)' 'accounts[]=Success'
account=$(id fca_)
echo "account $account"

# The list is refused before a refresh has succeeded. The prefetch is that refresh.
transactions_listed() {
  [ "$(call GET /v1/financial_connections/transactions "account=$account" limit=100)" = 200 ]
}
until_true "the first refresh" transactions_listed
rows=$(grep --count '"object": "financial_connections.transaction"' "$folder/body") || true
[ "$rows" -eq 100 ] || fail "the first page has $rows rows, not 100"
grep --quiet '"has_more": true' "$folder/body" || fail "180 days fit into one page"
last=$(grep --only-matching --extended-regexp '"fctxn_[0-9A-Za-z]{24}"' "$folder/body" |
  tail -n 1 | tr -d '"')

need GET /v1/financial_connections/transactions "account=$account" limit=100 "starting_after=$last"
if grep --quiet "\"$last\"" "$folder/body"; then fail "the second page repeats $last"; fi
id fctxn_ >/dev/null
echo "transactions: $rows on the first page, and a second page"
