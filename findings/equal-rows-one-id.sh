#!/usr/bin/env bash
# Two equal payments of a day get one id on their way from CSV or QIF to OFX.
#
# Expected: the OFX specification makes a FITID unique within an account, because clients find
#   duplicates by it. CSV and QIF have no ids, so a converter must invent different ones for equal
#   rows, for instance with a counter. Two coffees on one day are valid input.
# Seen: csv2ofx and ofxstatement-qif hash date, text and amount, so both rows have the same FITID.
#   qif-to-qfx, which documents the removal of duplicates between overlapping files, removes the
#   second row of a single file and reports it nowhere.
# Version: PyPI csv2ofx 0.34.2, ofxstatement 0.9.3 with ofxstatement-qif 0.14.0, qif-to-qfx 0.1.1.
# Affected: users of the converted file. The second payment is missing from their books.
# Bankfeed (planned): never uses a FITID alone as identity. Rows with the same FITID, date and
#   amount are counted. The balances of the file are checked where it has both.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check csv2ofx==0.34.2 ofxstatement==0.9.3 \
  ofxstatement-qif==0.14.0 qif-to-qfx==0.1.1
cd "$dir"
printf '%s\n' 'Date,Amount,Description' '06/22/2026,-3.50,COFFEE' '06/22/2026,-3.50,COFFEE' >bank.csv
printf '%s\n' '!Type:Bank' D6/22/26 T-3.50 PCOFFEE '^' D6/22/26 T-3.50 PCOFFEE '^' >bank.qif
cat >mapping.py <<'END'
from operator import itemgetter

mapping = {
    "has_header": True,
    "is_split": False,
    "bank": "Bank",
    "account": "Checking",
    "date": itemgetter("Date"),
    "amount": itemgetter("Amount"),
    "desc": itemgetter("Description"),
}
END
"$dir/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep -E '^(csv2ofx|ofxstatement|qif-to-qfx)'
"$dir/venv/bin/csv2ofx" -x mapping.py -D 2026-06-25 -o bank.csv csv.ofx >/dev/null 2>&1
"$dir/venv/bin/ofxstatement" convert -t qif bank.qif qif.ofx >/dev/null 2>&1
"$dir/venv/bin/qif-to-qfx" bank.qif -o qif.qfx --no-balance >/dev/null
same=yes
for case in csv.ofx:2:1 qif.ofx:2:1 qif.qfx:1:1; do
  IFS=: read -r file rows_before ids_before <<<"$case"
  rows=$(grep -ao '<FITID>' "$file" | wc -l)
  ids=$(grep -aoE '<FITID>[^<]*' "$file" | sort -u | wc -l)
  echo "$file: $rows rows, $ids ids"
  [ "$rows:$ids" = "$rows_before:$ids_before" ] || same=no
done
[ "$same" = yes ] || { echo CHANGED; exit 1; }
echo "as recorded: one id or one row for two payments"
