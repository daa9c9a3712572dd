#!/usr/bin/env bash
# An overdrawn account has a positive balance, or its statement cannot be converted.
#
# Expected: a camt.053 balance has no sign of its own. `CdtDbtInd` gives it, and DBIT is an
#   overdrawn account. OFX gives such a balance a minus (`LEDGERBAL`).
# Seen: the plugin ignores CdtDbtInd of balances. If the rows of the statement cancel out and the
#   balance stays at -1000.00, BALAMT is 1000.00 without a warning. With a row of +100.00, from
#   -1000.00 to -900.00, the file is rejected, because 1000.00 + 100.00 is not 900.00.
# Version: PyPI ofxstatement 0.9.3 with ofxstatement-iso20022 0.8.1.
# Affected: users with an overdraft or a credit line.
# Bankfeed (planned): a test for its CAMT reader with an overdrawn balance, and one that crosses
#   zero.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check ofxstatement==0.9.3 ofxstatement-iso20022==0.8.1
cd "$dir"
balance() {
  printf '%s\n' "<Bal><Tp><CdOrPrtry><Cd>$1</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">$2</Amt>" \
    "<CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>$3</Dt></Dt></Bal>"
}
statement() {
  printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>' \
    '<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00</CreDtTm></GrpHdr>' \
    '<Stmt><Id>S1</Id><CreDtTm>2026-06-22T06:00:00</CreDtTm>' \
    '<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>'
  balance OPBD 1000.00 2026-06-20
  balance CLBD "$1" 2026-06-22
  echo "$2</Stmt></BkToCstmrStmt></Document>"
}
row() {
  printf '%s\n' "<Ntry><Amt Ccy=\"EUR\">100.00</Amt><CdtDbtInd>$1</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>" \
    '<BookgDt><Dt>2026-06-22</Dt></BookgDt><ValDt><Dt>2026-06-22</Dt></ValDt>' \
    "<AcctSvcrRef>$1-1</AcctSvcrRef><BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd></Ntry>"
}
statement 1000.00 "$(row CRDT)$(row DBIT)" >still.xml
statement 900.00 "$(row CRDT)" >moved.xml
"$dir/venv/bin/pip" list --disable-pip-version-check 2>/dev/null | grep '^ofxstatement'
"$dir/venv/bin/ofxstatement" convert -t iso20022 still.xml still.ofx 2>&1 | tail -1
seen=$(grep -oE '<BALAMT>[^<[:space:]]*' still.ofx)
echo "balance at -1000.00: $seen"
message=$("$dir/venv/bin/ofxstatement" convert -t iso20022 moved.xml moved.ofx 2>&1 | tail -1 || true)
echo "from -1000.00 to -900.00: $message"
if [ "$seen" = '<BALAMT>1000.00' ] && [[ $message == *'should be equal to the end balance (900.00)'* ]]; then
  echo "as recorded: the sign of the balances is ignored"
else
  echo CHANGED
  exit 1
fi
