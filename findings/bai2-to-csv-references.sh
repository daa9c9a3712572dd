#!/usr/bin/env bash
# The text of a payment takes the place of its reference, and the opening balance is missing.
#
# Expected: a BAI2 record 16 is type code, amount, funds type, bank reference, customer reference,
#   text. The text is the last field and may hold commas. A record 03 starts with the account, the
#   currency and the first balances. 88 continues it. The README describes both tables that way.
# Seen: the references are the last two fields of the record. With a text, the column
#   customer_reference holds the text, bank_reference holds the customer's reference and the
#   bank's is lost. Balances on the record 03 itself are dropped; only those on 88 appear.
# Version: PyPI bai2-to-csv 0.1.0.
# Affected: programs that match or deduplicate by the bank's reference. Each row has another kind
#   of value in it, which depends on the presence of a text.
# Bankfeed (planned): a test for its BAI2 reader with a text on the record 16 and balances on the
#   record 03.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check bai2-to-csv==0.1.0
cd "$dir"
cat >bank.bai <<'END'
01,122099999,123456789,260621,0200,1,80,1,2/
02,031001234,122099999,1,260620,2359,USD,2/
03,0123456789,USD,010,100000,,/
88,015,121500,,/
16,165,25000,0,BANKREF1,CUSTREF1,PAYROLL TAX REFUND
16,475,3500,0,BANKREF2,CUSTREF2,
49,250000,5/
98,250000,1,7/
99,250000,1,9/
END
"$dir/venv/bin/python" - <<'END'
import csv, sys
from importlib.metadata import version
from bai2_to_csv import Bai2Converter

Bai2Converter().convert_file(
    input_path="bank.bai", summary_output_path="summary.csv", detail_output_path="detail.csv"
)
balances = [row["transaction_bai_code"] for row in csv.DictReader(open("summary.csv"))]
rows = [
    (row["bank_reference"], row["customer_reference"], row["transaction_text"])
    for row in csv.DictReader(open("detail.csv"))
]
print("bai2-to-csv", version("bai2-to-csv"))
print("balances:", balances, "of 010 and 015")
print("bank reference, customer reference, text:", rows)
same = balances == ["015"] and rows[0] == ("CUSTREF1", "PAYROLL TAX REFUND", "")
print("as recorded: shifted references, no opening balance" if same else "CHANGED")
sys.exit(0 if same else 1)
END
