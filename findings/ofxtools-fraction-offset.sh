#!/usr/bin/env bash
# Half an hour in a time zone is read as fifty minutes.
#
# Expected: the OFX specification (3.2.8.2) writes an offset as hours from GMT, and part of an
#   hour as a decimal fraction with two digits: [+5.50:IST] is five and a half hours, as in India.
#   ofxparse 0.21 and the Go package ofxgo 0.1.3 read it so.
# Seen: ofxtools takes the digits after the point for minutes. +5.50 becomes 5:50, +5.75 becomes
#   6:15. The instant is 20 or 30 minutes off, and rows near midnight change the day in UTC.
# Version: PyPI ofxtools 1.1.1.
# Affected: users of banks in India, Nepal, Iran, Newfoundland and parts of Australia.
# Bankfeed (planned): its OFX reader takes fractions of an hour and has a test with +5.50, +5.75
#   and -3.50.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ofxtools==1.1.1
"$dir/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
from ofxtools.Types import DateTime

recorded = {
    "20260622054000[+5.50:IST]": ("2026-06-21T23:50:00+00:00", "2026-06-22T00:10:00+00:00"),
    "20260622120000[+5.75:NPT]": ("2026-06-22T05:45:00+00:00", "2026-06-22T06:15:00+00:00"),
    "20260622120000[-3.50:NST]": ("2026-06-22T15:50:00+00:00", "2026-06-22T15:30:00+00:00"),
}
print("ofxtools", version("ofxtools"))
same = True
for text, (before, right) in recorded.items():
    seen = DateTime().convert(text).isoformat()
    print(text, "seen", seen, "right", right)
    same = same and seen == before
print("as recorded: the fraction is read as minutes" if same else "CHANGED")
sys.exit(0 if same else 1)
END
