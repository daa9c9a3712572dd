#!/usr/bin/env bash
# A date in Quicken's own form is copied into the QFX file unchanged.
#
# Expected: Quicken writes dates of this century as 6/21'26, with a space for a leading zero (7/
#   4'26). OFX wants YYYYMMDD in DTPOSTED, DTSTART and DTEND. The README of qif-to-qfx says that
#   it should work with any QIF source.
# Seen: 6/22/26 becomes 20260622, but 6/21'26 is written into DTPOSTED as it is. DTSTART and DTEND
#   are the first and the last text in alphabetical order, so the period of the file is wrong too.
# Version: PyPI qif-to-qfx 0.1.1.
# Affected: users who import the file. Readers reject the row, or the file, or guess a date.
# Bankfeed (planned): its OFX reader rejects a date that is not YYYYMMDD with line and field. Its
#   QIF reader reads the apostrophe as the year 2000 and later, and a space as a zero.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check qif-to-qfx==0.1.1
cd "$dir"
cat >bank.qif <<'END'
!Type:Bank
D6/21'26
T1,234.56
PSalary
^
D6/22/26
T-3.50
PCoffee
^
D7/ 4'26
T-20.00
PFlowers
^
END
"$dir/venv/bin/pip" show qif-to-qfx 2>/dev/null | grep -E '^(Name|Version)'
"$dir/venv/bin/qif-to-qfx" bank.qif -o bank.qfx --no-balance
seen=$(grep -oE '<(DTSTART|DTEND|DTPOSTED)>[^<]*' bank.qfx)
echo "$seen"
if [ "$(grep -c "DTPOSTED>6/21'26" <<<"$seen")" = 1 ] && [ "$(grep -c 'DTPOSTED>20260622' <<<"$seen")" = 1 ] \
  && [ "$(grep -c "DTPOSTED>7/ 4'26" <<<"$seen")" = 1 ]; then
  echo "as recorded: dates of Quicken's form are not converted"
else
  echo "CHANGED"
  exit 1
fi
