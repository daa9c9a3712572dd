#!/usr/bin/env bash
# The reversal of one returned payment has the amount of its whole batch.
#
# Expected: in camt.053 a batch is one entry with several `TxDtls`, and each may have an amount
#   and a return reason of its own. The package generates entries that reverse what was returned.
#   Here one payment of 40.00 out of a batch of 100.00 was returned, so 40.00 with its id E2 is
#   reversed.
# Seen: the reader drops the amounts of the payments. The reversal has the amount of the entry
#   (100.00) and the end-to-end id of the first payment (E1), which was not returned. The
#   package's own validation accepts it.
# Version: PyPI camt053 0.0.23.
# Affected: programs that send these reversals or book them.
# Bankfeed (planned): reads the amount of each payment of a batch and uses it only if the payments
#   sum to the entry. A test has a batch in which one payment of two was returned.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check camt053==0.0.23
"$dir/venv/bin/python" - <<'END'
import re, sys
from importlib.metadata import version
from camt053 import generate_reversal_for_statement, parse_document

def balance(code, amount):
    return f"""<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-06-22</Dt></Dt></Bal>"""

def payment(name, amount, reason):
    return f"""<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><Amt Ccy="EUR">{amount}</Amt>
<CdtDbtInd>CRDT</CdtDbtInd>{reason}</TxDtls>"""

xml = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><CreDtTm>2026-06-22T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>0123456789</Id></Othr></Id><Ccy>EUR</Ccy></Acct>
{balance("OPBD", "0.00")}{balance("CLBD", "100.00")}
<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-22</Dt></BookgDt><ValDt><Dt>2026-06-22</Dt></ValDt>
<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd><NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch>
{payment("E1", "60.00", "")}
{payment("E2", "40.00", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>")}
</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"""
document = generate_reversal_for_statement(parse_document(xml).statements[0])
entry = re.search(r"<Ntry>.*?</Ntry>", re.sub(r">\s+<", "><", document)).group()
amounts = re.findall(r'<Amt Ccy="EUR">(.*?)</Amt>', entry)
names = re.findall(r"<EndToEndId>(.*?)</EndToEndId>", entry)
print("camt053", version("camt053"))
print("reversed amounts", amounts, "of payment", names)
same = amounts == ["100.00", "100.00"] and names == ["E1"]
print("as recorded: 100.00 of E1 instead of 40.00 of E2" if same else "CHANGED")
sys.exit(0 if same else 1)
END
