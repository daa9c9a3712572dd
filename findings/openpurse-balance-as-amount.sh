#!/usr/bin/env bash
# The flat form of a statement pairs the opening balance with the id of a payment.
#
# Expected: the README of openpurse calls `amount` the value of the transaction and
#   `end_to_end_id` the original reference. A camt.053 statement is not one transaction, so both
#   are None or both belong to the same entry.
# Seen: `amount` is the first amount in the file, which ISO 20022 makes the opening balance,
#   without its sign. `end_to_end_id` is the one of the first payment. An overdraft of 1000.00 and
#   a payment of 60.00 become a payment of 1000.00.
# Version: PyPI openpurse 0.1.14.
# Affected: programs that reconcile payments by id and amount with this record.
# Bankfeed (planned): reads amounts by their path, never the first in the file, and has a test
#   with a balance before the entries.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check openpurse==0.1.14
"$dir/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
from openpurse import OpenPurseParser

xml = b"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2026-06-22T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>0123456789</Id></Othr></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt>
<CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-06-20</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">940.00</Amt>
<CdtDbtInd>DBIT</CdtDbtInd><Dt><Dt>2026-06-22</Dt></Dt></Bal>
<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">60.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-22</Dt></BookgDt>
<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><TxDtls>
<Refs><EndToEndId>E1</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>"""
message = OpenPurseParser(xml).parse()
print("openpurse", version("openpurse"))
print("id", message.end_to_end_id, "amount", message.amount, message.currency)
same = (message.end_to_end_id, message.amount) == ("E1", "1000.00")
print("as recorded: the payment of 60.00 has the opening balance" if same else "CHANGED")
sys.exit(0 if same else 1)
END
