// Loaded before an emulator that would listen on every address of the machine, so that it listens on
// the loopback address only.
const { Server } = require("node:net");

const listen = Server.prototype.listen;
Server.prototype.listen = function (first, ...rest) {
  if (typeof first === "object" && first !== null) {
    return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  }
  const callback = rest.find((argument) => typeof argument === "function");
  return listen.call(this, { port: Number(first), host: "127.0.0.1" }, callback);
};
