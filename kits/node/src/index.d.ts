import type Stripe from "stripe";

type Account = Stripe.FinancialConnections.Account;
type Feature = "balance" | "inferred_balances" | "ownership" | "transactions";
/** A function that gets each verified event, or the URL of a receiver. */
export type Handler = string | ((event: Stripe.Event) => unknown);

/** A transaction as both sides know it. Times are Unix seconds, and amounts are minor units. */
export interface Row {
  transacted_at: number;
  amount: number;
  currency: string;
  description: string;
  status: string;
  posted_at: number | null;
}

/** A webhook endpoint of the key. `secret` verifies its webhooks. */
export interface Endpoint {
  id: string;
  url: string;
  secret: string;
}

export interface LinkOptions {
  permissions?: Array<"balances" | "ownership" | "payment_method" | "transactions">;
  prefetch?: Array<"balances" | "ownership" | "transactions">;
  /** The name of a test bank. */
  institution?: string;
  /** The name of an account at the bank. */
  account?: string;
  webhook?: Handler;
  /** Refreshes the transactions every day of the clock. The default is true. */
  subscribe?: boolean;
  /** Selects the data of the bank. */
  seed?: number;
}

/** One empty merchant on the server, with a key of its own. */
export class Bankfeed {
  constructor(url: string);
  readonly url: string;
  readonly key: string;
  /** The official SDK's client for the key. */
  readonly client: Stripe;
  /** Links one bank account of a new customer, whose time a test clock moves. */
  link(options?: LinkOptions): Promise<Feed>;
  /** Registers a receiver of webhooks. */
  endpoint(receiver: Handler, events?: string[]): Promise<Endpoint>;
  /** Waits until all due work is done and every webhook was attempted once. */
  settle(): Promise<void>;
  /** Adds the test banks of a scenario, a file in TOML or JSON, to this merchant. */
  scenario(text: string): Promise<void>;
  /** Creates a fault, such as `fault("webhook_lost", { every: 3 })`. */
  fault(kind: string, params?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The report on the client's behaviour, as if the client had done all its work. */
  judge(): Promise<Record<string, unknown>>;
  /** Makes any call by its path. */
  call(method: string, path: string, params?: Record<string, unknown>): Promise<any>;
  /** Stops the receivers. */
  close(): Promise<void>;
}

/** One linked bank account, with the bank's side of it. */
export class Feed {
  readonly account: string;
  readonly customer: string;
  readonly clock: string;
  readonly session: string;
  readonly endpoint?: Endpoint;
  /** Adds a transaction at the bank. `amount` is in minor units, and negative for money out. */
  add(
    amount: number,
    description?: string,
    options?: { pending?: boolean; currency?: string; transacted_at?: number },
  ): Promise<Transaction>;
  /** Refreshes the account, by default its transactions, and waits for the webhooks. */
  refresh(...features: Feature[]): Promise<Account>;
  /** Moves the time. A last refresh brings a subscribed account to it, unless `refresh` is false. */
  advance(by: {
    days?: number;
    hours?: number;
    seconds?: number;
    refresh?: boolean;
  }): Promise<void>;
  /** Lets the next refreshes fail with a cause. */
  failNext(cause?: string, options?: { times?: number }): Promise<void>;
  /** Lets the next refresh take a time on the test clock. */
  delayNext(seconds: number): Promise<void>;
  /** Sets the bank's balance, in minor units. */
  setBalance(current: number, available?: number): Promise<void>;
  /** Sets the owners that the bank shows. */
  setOwners(...names: string[]): Promise<void>;
  deactivate(cause?: string): Promise<void>;
  reactivate(): Promise<void>;
  /** The rows that a correct copy of this account has now, by the bank's own ledger. */
  ledger(): Promise<Row[]>;
  /** The account, as the API shows it. */
  retrieve(): Promise<Account>;
}

/** A transaction at the bank. A change is visible to clients after the next refresh. */
export class Transaction {
  readonly id: string;
  /** Posts it, with another amount if one is named. */
  post(amount?: number): Promise<void>;
  void(): Promise<void>;
  edit(params: {
    amount?: number;
    description?: string;
    status?: string;
    transacted_at?: number;
  }): Promise<void>;
}

/** A client that would lose data in production. The message names how. */
export class JudgeError extends Error {}

/** The rows of transactions, without void ones, in the order of their times. */
export function rowsOf(transactions: Iterable<unknown>): Row[];

/** The address of the server. The first call starts it. */
export function serverUrl(): Promise<string>;

/** Makes the function of a test from one that takes a bankfeed. Works with node:test, Jest and Vitest. */
export function withBankfeed(
  test: (bankfeed: Bankfeed) => unknown,
  options?: { judge?: boolean },
): () => Promise<void>;
