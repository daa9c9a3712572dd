package dev.bankfeed.junit;

import com.stripe.exception.StripeException;
import java.util.Map;

/** A transaction at the bank. A change is visible to clients after the next refresh. */
public final class BankTransaction {
  private final Feed feed;
  private final String id;

  BankTransaction(Feed feed, String id) {
    this.feed = feed;
    this.id = id;
  }

  /** Returns the bank's own id. */
  public String id() {
    return id;
  }

  /** Posts it. */
  public void post() throws StripeException {
    edit(Map.of("status", "posted"));
  }

  /** Posts it with another amount, such as one with a tip. */
  public void post(long amount) throws StripeException {
    edit(Map.of("status", "posted", "amount", amount));
  }

  /** Voids it. */
  public void voids() throws StripeException {
    edit(Map.of("status", "void"));
  }

  /** Changes amount, description, transacted_at or status. */
  public void edit(Map<String, Object> params) throws StripeException {
    feed.bank("/transactions/" + id, params);
  }
}
