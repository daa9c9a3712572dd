package dev.bankfeed.junit;

import com.stripe.StripeClient;
import com.stripe.exception.StripeException;
import com.stripe.model.Event;
import com.stripe.model.financialconnections.Account;
import com.stripe.model.financialconnections.Transaction;
import com.stripe.param.financialconnections.TransactionListParams;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** An application that follows an account, as the documents describe. */
final class App {
  private static final String REFRESHED = "financial_connections.account.refreshed_transactions";
  private final StripeClient client;
  private final Map<String, Transaction> copy = new HashMap<>();
  private String last;

  App(StripeClient client) {
    this.client = client;
  }

  void handle(Event event) throws StripeException {
    if (!event.getType().equals(REFRESHED)) {
      return;
    }
    var account = (Account) event.getDataObjectDeserializer().getObject().orElseThrow();
    if (!account.getTransactionRefresh().getStatus().equals("succeeded")) {
      client.v1().financialConnections().accounts().retrieve(account.getId());
      return;
    }
    var params = TransactionListParams.builder().setAccount(account.getId()).setLimit(100L);
    if (last != null) {
      params.setTransactionRefresh(TransactionListParams.TransactionRefresh.builder().setAfter(last).build());
    }
    for (var row : client.v1().financialConnections().transactions().list(params.build()).autoPagingIterable()) {
      copy.put(row.getId(), row);
    }
    last = account.getTransactionRefresh().getId();
  }

  List<Row> rows() {
    return Row.of(copy.values());
  }
}
