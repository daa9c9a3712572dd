// Creates customers with Stripe's Node SDK, reads them page by page, and reads them with `fetch`.
"use strict";
const { createRequire } = require("node:module");
const loaded = createRequire(process.argv[2] + "/")("stripe");
const Stripe = loaded.default || loaded;

const key = process.env.STRIPE_API_KEY;

async function main() {
  const stripe = new Stripe(key);
  for (let number = 0; number < 3; number += 1) {
    await stripe.customers.create({ email: `a${number}@example.com` });
  }
  let count = 0;
  for await (const customer of stripe.customers.list({ limit: 1 })) {
    count += customer.object === "customer" ? 1 : 0;
  }
  console.log(`${count} customers`);
  const headers = { Authorization: `Bearer ${key}` };
  const response = await fetch("https://api.stripe.com/v1/customers", { headers });
  console.log(`fetch ${response.status}`);
}

main();
