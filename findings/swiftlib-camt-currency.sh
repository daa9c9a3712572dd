#!/usr/bin/env bash
# A converted statement has rows without a currency and with another booking date.
#
# Expected: ISO 20022 requires a three-letter `Ccy` on every amount, and an MT940 statement has
#   one currency, the one of its balances. Field 61 holds a value date and an entry date, and CAMT
#   has a field for each (`ValDt`, `BookgDt`). The README of swiftlib promises MT940 to camt.053.
# Seen: every entry has `Ccy=""`, although both balances have `Ccy="EUR"`. `BookgDt` holds the
#   value date and the entry date is lost, although the MT940 parser of the package reads it
#   correctly.
# Version: PyPI swiftlib 1.0.1.
# Affected: programs that read the result. A strict one rejects the file, a lenient one books in
#   its default currency and on another day.
# Bankfeed (planned): its CAMT reader rejects an amount without a currency and names the line. It
#   never falls back to the currency of the account. Its MT940 reader has a test with two
#   different dates.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check swiftlib==1.0.1
"$dir/venv/bin/python" - <<'END'
import re, sys
from importlib.metadata import version
from swiftlib.converters.mt_to_iso import MT940ToCamt053Converter
from swiftlib.mt import parse

text = """{1:F01BANKBEBBAXXX0000000000}{2:I940BANKDEFFXXXXN}{4:
:20:STATEMENT
:25:0123456789
:28C:42/1
:60F:C260620EUR1000,00
:61:2606210622C100,00NTRFREF1//B1
:86:first
:62F:C260622EUR1100,00
-}"""
message = parse(text)
line = message.statement_lines[0]
print("swiftlib", version("swiftlib"))
print("read:", line.value_date, line.entry_date, line.amount)
xml = re.sub(r">\s+<", "><", MT940ToCamt053Converter().convert(message).to_xml())
entry = re.search(r"<Ntry>.*?</Ntry>", xml).group()
balances = re.findall(r'<Bal>.*?<Amt Ccy="(.*?)"', xml)
print("balances:", balances)
print("entry:", entry)
same = (
    balances == ["EUR", "EUR"]
    and '<Amt Ccy="">100.00</Amt>' in entry
    and "<BookgDt><Dt>2026-06-21</Dt></BookgDt>" in entry
    and str(line.entry_date) == "2026-06-22"
)
print("as recorded: no currency, booking date is the value date" if same else "CHANGED")
sys.exit(0 if same else 1)
END
