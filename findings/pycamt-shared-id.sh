#!/usr/bin/env bash
# The payments of a batch share one TransactionID, although the bank gave each its own.
#
# Expected: in camt.053 a batch is one entry with several `TxDtls`. Each has references of its own
#   (`Refs/AcctSvcrRef`). pycamt returns one row for each of them with its own amount, so the
#   TransactionID of such a row is the reference of this payment.
# Seen: TransactionID is the reference of the entry in every row. The references of the payments
#   are in no column. Only EndToEndId differs, and that is the payer's text, often NOTPROVIDED.
# Version: PyPI pycamt 1.1.1.
# Affected: programs that store rows under TransactionID. Of a batch they keep the last payment.
# Bankfeed (planned): splits a batch only with an id per payment: the entry's reference plus the
#   payment's own reference or its position. A test has two payments of one entry with equal
#   amounts.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check pycamt==1.1.1
cat >"$dir/statement.xml" <<'END'
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2026-06-22T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>0123456789</Id></Othr></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">0.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-06-20</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-06-22</Dt></Dt></Bal>
<Ntry><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
<BookgDt><Dt>2026-06-22</Dt></BookgDt><AcctSvcrRef>BATCH-1</AcctSvcrRef>
<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>
<TxDtls><Refs><AcctSvcrRef>PAYMENT-1</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
<Amt Ccy="EUR">60.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls>
<TxDtls><Refs><AcctSvcrRef>PAYMENT-2</AcctSvcrRef><EndToEndId>NOTPROVIDED</EndToEndId></Refs>
<Amt Ccy="EUR">40.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></TxDtls></NtryDtls></Ntry>
</Stmt></BkToCstmrStmt></Document>
END
cd "$dir"
"$dir/venv/bin/python" - <<'END'
import sys
from importlib.metadata import version
from pycamt.parser import Camt053Parser

rows = Camt053Parser.from_file("statement.xml").get_transactions()
seen = [(row["TransactionID"], row["Amount"], row["EndToEndId"]) for row in rows]
print("pycamt", version("pycamt"))
print("id, amount, end-to-end id:", seen)
same = seen == [("BATCH-1", "60.00", "NOTPROVIDED"), ("BATCH-1", "40.00", "NOTPROVIDED")]
same = same and "PAYMENT-1" not in str(rows)
print("as recorded: one id for two payments" if same else "CHANGED")
sys.exit(0 if same else 1)
END
