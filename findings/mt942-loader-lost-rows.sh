#!/usr/bin/env bash
# Reversals and expected rows of an intraday report disappear, and their texts move to another
# row.
#
# Expected: SWIFT's mark of a row in an MT942 report is one of C, D, EC, ED, RC and RD (expected
#   and reversed credits and debits). The package's documentation says that a malformed row is
#   skipped and that the text of field 86 belongs to the row before it. These rows are
#   well-formed.
# Seen: rows with EC, ED, RC and RD are skipped without a warning. Their field 86 then replaces
#   the text of the last row that was read, so that row carries another row's description.
# Version: PyPI bankstatementparser-loader-mt942 0.0.28 (bankstatementparser 0.0.29 itself reads
#   all marks).
# Affected: treasury programs that see neither the expected debits nor the reversals of the day.
# Bankfeed (planned): a test with all six marks for its MT942 reader. A row that it cannot read is
#   an error with its line, because the text that follows would be attached to another row.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
  bankstatementparser==0.0.29 bankstatementparser-loader-mt942==0.0.28
"$dir/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
from bankstatementparser_loader_mt942 import load_mt942

head = """:20:INTRADAY
:25:COBADEFFXXX/0123456789
:28C:42/1
:34F:EURD0,00
:34F:EURC0,00
:13D:2606211430+0200
:61:2606210621C500,00NMSCREF1//B1
:86:one
"""
print("bankstatementparser-loader-mt942", version("bankstatementparser-loader-mt942"))
same = True
for mark in ("C", "D", "EC", "ED", "RC", "RD"):
    rows = load_mt942(head + f":61:2606210621{mark}70,00NMSCREF2//B2\n:86:two\n")
    seen = [(str(row.amount), row.description) for row in rows]
    print(mark, seen)
    lost = seen == [("500.00", "two")]
    same = same and (len(rows) == 2 if mark in ("C", "D") else lost)
print("as recorded: four of six marks are lost" if same else "CHANGED")
sys.exit(0 if same else 1)
END
