#!/usr/bin/env bash
# The row of one account is dropped as a duplicate of a row of another account.
#
# Expected: the OFX specification makes a FITID unique within an account only. A file may hold
#   several accounts, and small numbers as FITIDs are valid. The README of ofx-br lists the rows
#   of a file with `doc.transactions` and removes duplicates by FITID with `dedupe` and
#   `new_since`.
# Seen: `doc.transactions` joins all accounts, a row does not name its account, and `dedupe` drops
#   the savings interest of 1.01, because a salary of 1000.00 in the other account has its FITID.
# Version: PyPI ofx-br 0.1.0.
# Affected: users with checking and savings in one file.
# Bankfeed (planned): the key of a row starts with the account. A test has one FITID in two
#   accounts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ofx-br==0.1.0
cd "$dir"
statement() {
  printf '%s\n' "<STMTTRNRS><TRNUID>$1<STATUS><CODE>0<SEVERITY>INFO</STATUS><STMTRS><CURDEF>USD" \
    "<BANKACCTFROM><BANKID>021000021<ACCTID>$2<ACCTTYPE>$3</BANKACCTFROM>" \
    '<BANKTRANLIST><DTSTART>20260601<DTEND>20260630' \
    "<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20260630<TRNAMT>$4<FITID>1001<NAME>$5</STMTTRN>" \
    "</BANKTRANLIST><LEDGERBAL><BALAMT>$4<DTASOF>20260630</LEDGERBAL></STMTRS></STMTTRNRS>"
}
{
  printf '%s\n' OFXHEADER:100 DATA:OFXSGML VERSION:102 SECURITY:NONE ENCODING:USASCII CHARSET:1252 \
    COMPRESSION:NONE OLDFILEUID:NONE NEWFILEUID:NONE '' \
    '<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>' \
    '<DTSERVER>20260701<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1><BANKMSGSRSV1>'
  statement 1 111 CHECKING 1000.00 Salary
  statement 2 222 SAVINGS 1.01 Interest
  echo '</BANKMSGSRSV1></OFX>'
} >bank.ofx
"$dir/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
import ofxbr

rows = ofxbr.parse("bank.ofx").transactions
left = ofxbr.dedupe(rows)
print("ofx-br", version("ofx-br"))
print("read:", [(row.fitid, str(row.amount), row.payee) for row in rows])
print("after dedupe:", [(row.fitid, str(row.amount), row.payee) for row in left])
same = len(rows) == 2 and [str(row.amount) for row in left] == ["1000.00"]
same = same and not any("222" in str(row) for row in rows)
print("as recorded: the row of the second account is dropped" if same else "CHANGED")
sys.exit(0 if same else 1)
END
