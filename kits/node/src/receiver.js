// A receiver of webhooks in the test's own process.

import { createServer } from "node:http";

/**
 * Calls a function for each webhook, one at a time, after it has verified the signature. The response
 * is 200 after a normal return and 500 after an error. Errors are stored for the test.
 */
export class Receiver {
  errors = [];
  secret = "";
  #webhooks;
  #handle;
  #server;
  #last = Promise.resolve();

  constructor(webhooks, handle) {
    this.#webhooks = webhooks;
    this.#handle = handle;
    this.#server = createServer((request, response) => {
      const chunks = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        this.#last = this.#last.then(async () => {
          const signature = request.headers["stripe-signature"] ?? "";
          response.writeHead(await this.#receive(Buffer.concat(chunks), signature)).end();
        });
      });
    });
  }

  /** Starts to receive. Returns the URL. */
  async start() {
    await new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.#server.unref();
    return `http://127.0.0.1:${this.#server.address().port}/webhook`;
  }

  /** Stops to receive. */
  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(body, signature) {
    let event;
    try {
      event = this.#webhooks.constructEvent(body, signature, this.secret);
    } catch {
      return 400;
    }
    try {
      await this.#handle(event);
      return 200;
    } catch (error) {
      this.errors.push(error);
      return 500;
    }
  }
}
