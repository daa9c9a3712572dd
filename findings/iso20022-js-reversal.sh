#!/usr/bin/env bash
# A reversal is reported as an ordinary entry.
#
# Expected: ISO 20022 marks the reversal of an entry with `<RvslInd>true</RvslInd>`. The types of
#   iso20022.js give each entry `reversal: boolean`, so it is true for such an entry.
# Seen: `reversal` is false for `true` and for `1`, the two forms of a true xs:boolean. The
#   package's XML parser turns the text into a boolean or a number first, and the package compares
#   with the text.
# Version: npm iso20022.js 0.0.15.
# Affected: programs that match a returned payment with its original by this field.
# Bankfeed (planned): reads both forms, and has a test for each. The direction comes from
#   CdtDbtInd alone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund iso20022.js@0.0.15
cat >run.mjs <<'END'
import fs from 'node:fs';
import { CashManagementEndOfDayReport } from 'iso20022.js';

const entry = (mark) => `<Ntry><NtryRef>1</NtryRef><Amt Ccy="EUR">30.00</Amt>
<CdtDbtInd>DBIT</CdtDbtInd>${mark}<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-22</Dt></BookgDt>
<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd></Ntry>`;
const balance = (code, amount) => `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>
<Amt Ccy="EUR">${amount}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-06-22</Dt></Dt></Bal>`;
const file = (mark) => `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-06-22T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>123</Id></Othr></Id><Ccy>EUR</Ccy><Svcr><FinInstnId><Othr><Id>123</Id></Othr>
</FinInstnId></Svcr></Acct>${balance('OPBD', '100.00')}${balance('CLBD', '70.00')}
${entry(mark)}</Stmt></BkToCstmrStmt></Document>`;

const { version } = JSON.parse(fs.readFileSync('node_modules/iso20022.js/package.json', 'utf8'));
console.log('iso20022.js', version);
let same = true;
for (const mark of ['<RvslInd>true</RvslInd>', '<RvslInd>1</RvslInd>', '']) {
  const { reversal } = CashManagementEndOfDayReport.fromXML(file(mark)).entries[0];
  console.log(mark || 'no mark', '-> reversal', reversal);
  same = same && reversal === false;
}
console.log(same ? 'as recorded: reversals are not marked' : 'CHANGED');
process.exit(same ? 0 : 1);
END
node run.mjs
