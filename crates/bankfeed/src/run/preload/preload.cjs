// Connects TLS clients of Stripe to the proxy of `bankfeed run`.
//
// Node's variables for proxies reach its own agents only, and only newer releases have them. Stripe's SDK
// has an agent of its own.
"use strict";
const tls = require("node:tls");

const PORT = Number("{port}");
const HOSTS = "{hosts}".split(",");

const connect = tls.connect;
tls.connect = function (options, ...rest) {
  const isStripe =
    typeof options === "object" &&
    !options.socket &&
    HOSTS.includes(options.host) &&
    Number(options.port) === 443;
  if (!isStripe) {
    return connect.call(this, options, ...rest);
  }
  const servername = options.servername || options.host;
  const place = { ...options, servername, host: "127.0.0.1", port: PORT };
  return connect.call(this, place, ...rest);
};
