// The official Node client against the real binary: the release that the guide was written for, then
// the newest. Prints a line a step, and at the end `N passed, M failed`.
import Stripe from "stripe";
import Newest from "stripe-newest";
import { BILLS, INTENTS } from "./dahlia.js";
import { ENDIVE } from "./endive.js";
import { counts, GUIDE, MISTAKES, run } from "./integration.js";
import { THIN } from "./thin.js";

const name = (client: { PACKAGE_VERSION: string; API_VERSION: string }) =>
  `node stripe ${client.PACKAGE_VERSION} (${client.API_VERSION})`;

await run(name(Stripe), Stripe, [...GUIDE, ...INTENTS, ...BILLS, ...MISTAKES]);
// What both releases share has been checked by the types of both; here one name stands for both.
const newest = Newest as unknown as typeof Stripe;
await run(name(Newest), newest, [...GUIDE, ...ENDIVE, ...BILLS, ...THIN, ...MISTAKES]);
console.log(`${counts.passed} passed, ${counts.failed} failed`);
process.exit(counts.failed === 0 ? 0 : 1);
