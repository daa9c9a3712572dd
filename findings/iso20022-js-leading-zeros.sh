#!/usr/bin/env bash
# Account numbers and references of a bank lose their leading zeros.
#
# Expected: ISO 20022 makes an account number that is no IBAN (`Othr/Id`) and the bank's reference
#   of an entry (`AcctSvcrRef`) text of up to 34 and 35 characters. The types of iso20022.js give
#   both as strings. So 0012345678 stays 0012345678.
# Seen: the package's XML parser makes numbers of them. The account becomes "12345678", the
#   reference becomes the number 12345, and 1.10 becomes 1.1. Two references such as 0012345 and
#   12345 become one. Only `Cd` and `NtryRef` are protected. Ids too long for a number stay text.
# Version: npm iso20022.js 0.0.15.
# Affected: users whose bank numbers accounts with leading zeros. The account is not found again,
#   and rows are matched with the wrong ones.
# Bankfeed (planned): ids are text from the first byte to the last. A test has account numbers and
#   references with leading zeros in every format.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund iso20022.js@0.0.15
cat >run.mjs <<'END'
import fs from 'node:fs';
import { CashManagementEndOfDayReport } from 'iso20022.js';

const balance = (code) => `<Bal><Tp><CdOrPrtry><Cd>${code}</Cd></CdOrPrtry></Tp>
<Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-06-22</Dt></Dt></Bal>`;
const entry = (reference) => `<Ntry><Amt Ccy="EUR">30.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>
<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-06-22</Dt></BookgDt><AcctSvcrRef>${reference}</AcctSvcrRef>
<BkTxCd><Prtry><Cd>NTRF</Cd></Prtry></BkTxCd></Ntry>`;
const report = CashManagementEndOfDayReport.fromXML(`<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-06-22T06:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>1</ElctrncSeqNb><CreDtTm>2026-06-22T06:00:00Z</CreDtTm>
<Acct><Id><Othr><Id>0012345678</Id></Othr></Id><Ccy>EUR</Ccy><Svcr><FinInstnId><Othr><Id>123</Id></Othr>
</FinInstnId></Svcr></Acct>${balance('OPBD')}${balance('CLBD')}
${entry('0012345')}${entry('12345')}${entry('1.10')}</Stmt></BkToCstmrStmt></Document>`);

const { version } = JSON.parse(fs.readFileSync('node_modules/iso20022.js/package.json', 'utf8'));
const account = report.statements[0].account.accountNumber;
const references = report.entries.map((row) => row.accountServicerReferenceId);
console.log('iso20022.js', version);
console.log('account', JSON.stringify(account), 'references', JSON.stringify(references));
const same = account === '12345678' && JSON.stringify(references) === '[12345,12345,1.1]';
console.log(same ? 'as recorded: leading zeros are lost' : 'CHANGED');
process.exit(same ? 0 : 1);
END
node run.mjs
