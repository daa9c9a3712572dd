#!/usr/bin/env bash
# Two card payments of a day get one id, because the bank's reference is lost.
#
# Expected: SWIFT's format of field 61 ends with the bank's reference, `[//16x]`: two slashes and
#   up to 16 characters. The README of mt940-js says that the id of a transaction is a hash over
#   the whole transaction. So rows with the references B1 and B2 have different ids.
# Seen: the reader takes a bank reference of exactly 16 characters only. A shorter one is dropped
#   without a warning, and the customer reference NONREF is dropped on purpose. Two rows that
#   differ in the bank's reference alone get the same id.
# Version: npm mt940-js 1.0.0.
# Affected: programs that insert or update by this id. They store one of the two payments.
# Bankfeed (planned): a test for its MT940 reader with references of 1, 2 and 16 characters. Equal
#   rows are counted, never merged.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund mt940-js@1.0.0 tslib@2.8.1
cat >statement.sta <<'END'
:20:STATEMENT
:25:COBADEFFXXX/0123456789
:28C:1/1
:60F:C251230EUR1000,00
:61:2512311231D3,50NTRFNONREF//B1
:86:coffee
:61:2512311231D3,50NTRFNONREF//B2
:86:coffee
:61:2512311231D4,50NTRFNONREF//B345678901234567
:86:cake
:62F:C251231EUR988,50
END
cat >run.cjs <<'END'
const fs = require('fs');
const mt940 = require('mt940-js');
mt940.read(fs.readFileSync('statement.sta')).then(([statement]) => {
  console.log('mt940-js', require('mt940-js/package.json').version);
  const rows = statement.transactions;
  for (const row of rows) console.log(row.id, row.amount, JSON.stringify(row.bankReference));
  const same = rows.length === 3 && rows[0].id === rows[1].id && rows[0].bankReference === ''
    && rows[2].bankReference.endsWith('B345678901234567');
  console.log(same ? 'as recorded: one id for two rows' : 'CHANGED');
  process.exit(same ? 0 : 1);
});
END
node run.cjs
