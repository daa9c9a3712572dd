package dev.bankfeed.junit;

import com.stripe.param.financialconnections.SessionCreateParams.Permission;
import com.stripe.param.financialconnections.SessionCreateParams.Prefetch;
import java.util.List;

/**
 * A description of a link. {@code new Link()} links the preselected account of the default test bank, with balances,
 * ownership and transactions, and with a subscription to its transactions.
 */
public final class Link {
  List<Permission> permissions = List.of(Permission.BALANCES, Permission.OWNERSHIP, Permission.TRANSACTIONS);
  List<Prefetch> prefetch = List.of();
  String institution;
  String account;
  Long seed;
  Handler webhook;
  boolean subscribed = true;

  /** Sets the permissions of the session. */
  public Link permissions(Permission... permissions) {
    this.permissions = List.of(permissions);
    return this;
  }

  /** Sets the data that the link fetches. */
  public Link prefetch(Prefetch... prefetch) {
    this.prefetch = List.of(prefetch);
    return this;
  }

  /** Sets the name of the test bank. */
  public Link institution(String name) {
    institution = name;
    return this;
  }

  /** Sets the name of the account at the bank. */
  public Link account(String name) {
    account = name;
    return this;
  }

  /** Selects the data of the bank. */
  public Link seed(long seed) {
    this.seed = seed;
    return this;
  }

  /** Sets the function that receives each verified event. */
  public Link webhook(Handler handler) {
    webhook = handler;
    return this;
  }

  /** Leaves out the daily refresh of the transactions. */
  public Link unsubscribed() {
    subscribed = false;
    return this;
  }
}
