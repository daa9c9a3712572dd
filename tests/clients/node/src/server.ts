// The real binary as a child process, an inbox for webhooks, and a way to the server that fails.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const BINARY = path.resolve(ROOT, process.env.BANKFEED_BINARY ?? "target/debug/bankfeed");
const WAIT_MS_MAX = 30_000;

export interface Server {
  port: number;
  stop(): Promise<void>;
}

/** Starts the server on a free port and an empty database. */
export async function startServer(): Promise<Server> {
  const folder = mkdtempSync(path.join(tmpdir(), "bankfeed-client-"));
  const words = ["serve", "--listen", "127.0.0.1:0", "--db", path.join(folder, "bank.db")];
  const settings = { BANKFEED_POLL_MS: "50", BANKFEED_COOL_DOWN_TEST: "0" };
  const env = { ...process.env, ...settings };
  const child = spawn(BINARY, words, { stdio: ["ignore", "pipe", "ignore"], env });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const port = await new Promise<number>((resolve, reject) => {
    let printed = "";
    child.once("error", reject);
    child.once("exit", () => reject(new Error(`the server did not start: ${printed}`)));
    child.stdout.on("data", (data) => {
      printed += data;
      // The address is printed once the server takes requests.
      const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed);
      if (found) resolve(Number(found[1]));
    });
  });
  const stop = async () => {
    child.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true });
  };
  return { port, stop };
}

/** A webhook as it came: the bytes that were signed, and the signature. */
export interface Delivery {
  body: string;
  signature: string;
}

/** A webhook endpoint that keeps what it is sent. */
export class Inbox {
  private deliveries: Delivery[] = [];
  private waiting = new Set<() => void>();
  private server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text) => (body += text));
    request.on("end", () => {
      this.deliveries.push({ body, signature: String(request.headers["stripe-signature"]) });
      response.end();
      this.waiting.forEach((look) => look());
    });
  });

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.server.address() as net.AddressInfo).port}/webhook`;
  }

  close() {
    this.server.close();
    this.server.closeAllConnections();
  }

  /** What `find` makes of the first delivery of which it makes anything; waits for it. */
  async wait<T>(what: string, find: (delivery: Delivery) => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        settle();
      };
      const look = () => {
        for (const delivery of this.deliveries) {
          try {
            const found = find(delivery);
            if (found !== undefined) return end(() => resolve(found));
          } catch (error) {
            return end(() => reject(error));
          }
        }
      };
      const late = () => end(() => reject(new Error(`waited ${WAIT_MS_MAX} ms for ${what}`)));
      const timer = setTimeout(late, WAIT_MS_MAX);
      this.waiting.add(look);
      look();
    });
  }
}

/** A way to the server that fails on the first connection: cut after the server has done the work. */
export async function cutOnce(server: number): Promise<{ port: number; close(): void }> {
  const clients = new Set<net.Socket>();
  let connections = 0;
  const front = net.createServer((client) => {
    connections += 1;
    clients.add(client);
    const upstream = net.connect(server, "127.0.0.1");
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on("error", end).on("close", end);
    upstream.on("error", end).on("close", end);
    client.pipe(upstream);
    if (connections === 1) upstream.once("data", end);
    else upstream.pipe(client);
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  const close = () => {
    front.close();
    clients.forEach((client) => client.destroy());
  };
  return { port: (front.address() as net.AddressInfo).port, close };
}
