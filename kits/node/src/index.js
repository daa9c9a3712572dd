// A bank that a test controls, behind Stripe's Financial Connections API.

import { Bankfeed, JudgeError } from "./bank.js";
import { serverUrl } from "./server.js";

export { Bankfeed, Feed, JudgeError, Transaction } from "./bank.js";
export { rowsOf } from "./rows.js";
export { serverUrl } from "./server.js";

/**
 * Makes the function of a test from one that takes a bankfeed, an empty merchant with a key of its own.
 * After the test its client is judged. Works with node:test, Jest and Vitest.
 */
export function withBankfeed(test, { judge = true } = {}) {
  return async () => {
    const bankfeed = new Bankfeed(await serverUrl());
    try {
      await test(bankfeed);
      await bankfeed.settle();
      if (judge) {
        await judged(bankfeed);
      }
    } catch (error) {
      throw located(error, bankfeed);
    } finally {
      await bankfeed.close();
    }
  };
}

async function judged(bankfeed) {
  const { findings } = await bankfeed.judge();
  if (findings.length > 0) {
    throw new JudgeError(findings.map(text).join("\n\n"));
  }
}

function text(finding) {
  const subject = finding.account ?? finding.webhook_endpoint ?? "";
  const proofs = finding.evidence.map(({ what, request, event }) =>
    ["  -", what, request, event].filter(Boolean).join(" "),
  );
  const lines = [`${finding.code} ${subject}`.trim(), `  ${finding.message}`, ...proofs];
  return [...lines, `  Fix: ${finding.fix}`].join("\n");
}

/** Adds the key to the stack of an error, which every runner prints. */
function located(error, { key, url }) {
  if (error instanceof Error) {
    const stays = process.env.BANKFEED_URL !== undefined;
    const command = stays ? `, bankfeed judge --api-key ${key} --api-base ${url}` : "";
    error.stack = `${error.stack}\n    bankfeed: key ${key} on ${url}${command}`;
  }
  return error;
}
