package dev.bankfeed.junit;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.stripe.exception.StripeException;
import com.stripe.model.financialconnections.Account;
import com.stripe.model.financialconnections.Transaction;
import com.stripe.net.ApiResource;
import com.stripe.net.ApiResource.RequestMethod;
import com.stripe.param.financialconnections.AccountRefreshParams;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One linked bank account, with the bank's side of it. */
public final class Feed {
  private final Bankfeed bankfeed;
  private final String account;
  private final String customer;
  private final String clock;
  private final String session;
  private final Endpoint endpoint;

  Feed(Bankfeed bankfeed, String account, String customer, String clock, String session, Endpoint endpoint) {
    this.bankfeed = bankfeed;
    this.account = account;
    this.customer = customer;
    this.clock = clock;
    this.session = session;
    this.endpoint = endpoint;
  }

  /** Returns the id of the account. */
  public String account() {
    return account;
  }

  /** Returns the id of the customer. */
  public String customer() {
    return customer;
  }

  /** Returns the id of the test clock. */
  public String clock() {
    return clock;
  }

  /** Returns the id of the session. */
  public String session() {
    return session;
  }

  /** Returns the webhook endpoint, or null if the link has none. */
  public Endpoint endpoint() {
    return endpoint;
  }

  /**
   * Adds a posted transaction at the bank. Clients see it after the next refresh. The amount is in minor units, and
   * negative for money out.
   */
  public BankTransaction add(long amount, String description) throws StripeException {
    return add(amount, description, "posted");
  }

  /** Adds a pending transaction at the bank. */
  public BankTransaction addPending(long amount, String description) throws StripeException {
    return add(amount, description, "pending");
  }

  private BankTransaction add(long amount, String description, String status) throws StripeException {
    var params = Map.<String, Object>of("amount", amount, "description", description, "status", status);
    var added = bankfeed.call(RequestMethod.POST, path("/transactions"), params);
    return new BankTransaction(this, added.get("id").getAsString());
  }

  /** Refreshes the transactions of the account, and waits until webhooks were answered. Returns the account. */
  public Account refresh() throws StripeException {
    return refresh(AccountRefreshParams.Feature.TRANSACTIONS);
  }

  /** Refreshes the account, and waits until webhooks were answered. Returns the account. */
  public Account refresh(AccountRefreshParams.Feature... features) throws StripeException {
    var params = AccountRefreshParams.builder().addAllFeature(List.of(features)).build();
    bankfeed.client().v1().financialConnections().accounts().refresh(account, params);
    bankfeed.settle();
    return retrieve();
  }

  /**
   * Moves the time of the account. Returns when every webhook was answered once. A last refresh brings a subscribed
   * account to the new time, so that its copy and the ledger can be compared.
   */
  public void advance(Duration by) throws StripeException {
    advanceOnly(by);
    Account shown = retrieve();
    List<String> subscriptions = shown.getSubscriptions();
    if (shown.getStatus().equals("active") && subscriptions != null && subscriptions.contains("transactions")) {
      refresh();
    }
  }

  /** Moves the time of the account without a last refresh. */
  public void advanceOnly(Duration by) throws StripeException {
    var now = bankfeed.client().v1().testHelpers().testClocks().retrieve(clock).getFrozenTime();
    Map<String, Object> params = new LinkedHashMap<>();
    params.put("frozen_time", now + by.toSeconds());
    params.put("wait", true);
    params.put("timeout", Bankfeed.WAIT_S_MAX);
    bankfeed.call(RequestMethod.POST, Bankfeed.HELPERS + "/test_clocks/" + clock + "/advance", params);
    bankfeed.settle();
  }

  /** Lets the next refresh fail with a cause, such as institution_timeout. */
  public void failNext(String cause) throws StripeException {
    bank("/next_refresh", Map.of("outcome", "failed", "cause", cause));
  }

  /** Lets the next refresh take a time on the test clock. */
  public void delayNext(Duration delay) throws StripeException {
    bank("/next_refresh", Map.of("delay_seconds", delay.toSeconds()));
  }

  /** Sets the bank's balance, in minor units. */
  public void setBalance(long current) throws StripeException {
    bank("/balance", Map.of("current", current));
  }

  /** Sets the owners that the bank shows. */
  public void setOwners(String... names) throws StripeException {
    Map<String, Object> params = new LinkedHashMap<>();
    for (int position = 0; position < names.length; position++) {
      params.put("owners[" + position + "][name]", names[position]);
    }
    bank("/owners", params);
  }

  /** Makes the account inactive with a cause, such as access_expired, and waits until webhooks were answered. */
  public void deactivate(String cause) throws StripeException {
    bank("/deactivate", Map.of("cause", cause));
    bankfeed.settle();
  }

  /** Makes the account active again, and waits until webhooks were answered. */
  public void reactivate() throws StripeException {
    bank("/reactivate", Map.of());
    bankfeed.settle();
  }

  /** Returns the rows that a correct copy of this account has now, by the bank's own ledger. */
  public List<Row> ledger() throws StripeException {
    var ledger = bankfeed.call(RequestMethod.GET, path("/ledger"), Map.of());
    List<Transaction> transactions = new ArrayList<>();
    JsonArray entries = ledger.getAsJsonArray("transactions");
    for (JsonElement entry : entries) {
      transactions.add(ApiResource.GSON.fromJson(entry, Transaction.class));
    }
    return Row.of(transactions);
  }

  /** Returns the account, as the API shows it. */
  public Account retrieve() throws StripeException {
    return bankfeed.client().v1().financialConnections().accounts().retrieve(account);
  }

  void bank(String path, Map<String, Object> params) throws StripeException {
    bankfeed.call(RequestMethod.POST, path(path), params);
  }

  private String path(String rest) {
    return Bankfeed.BANK + "/accounts/" + account + rest;
  }
}
