package dev.bankfeed.junit;

import com.stripe.model.financialconnections.Transaction;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * A transaction as both sides know it. Times are Unix seconds, and amounts are minor units. {@code postedAt} is null
 * while the transaction is pending.
 */
public record Row(
    long transactedAt, long amount, String currency, String description, String status, Long postedAt) {

  private static final Comparator<Row> BY_TIME =
      Comparator.comparingLong(Row::transactedAt)
          .thenComparingLong(Row::amount)
          .thenComparing(Row::description)
          .thenComparing(Row::status)
          .thenComparingLong(row -> row.postedAt() == null ? 0 : row.postedAt());

  /** Returns the rows of transactions, without void ones, in the order of their times. */
  public static List<Row> of(Collection<Transaction> transactions) {
    return transactions.stream()
        .filter(one -> !one.getStatus().equals("void"))
        .map(Row::of)
        .sorted(BY_TIME)
        .toList();
  }

  private static Row of(Transaction one) {
    return new Row(
        one.getTransactedAt(),
        one.getAmount(),
        one.getCurrency(),
        one.getDescription(),
        one.getStatus(),
        one.getStatusTransitions().getPostedAt());
  }
}
