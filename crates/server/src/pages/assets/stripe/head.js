// A replacement for Stripe.js: defines window.Stripe for pages that collect bank accounts.
//
// It calls the server that served this file, with a publishable key and a client secret, and shows
// the link flow in a frame above the page. A page includes it before any code that uses
// window.Stripe. Then loadStripe of @stripe/stripe-js uses the existing object.
//
// Every method resolves to its object or to { error }, as in Stripe.js. An unsupported method
// throws an error that names the method.
"use strict";

