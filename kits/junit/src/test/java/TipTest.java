import static org.junit.jupiter.api.Assertions.assertEquals;

import com.stripe.model.financialconnections.Account;
import com.stripe.model.financialconnections.Transaction;
import com.stripe.param.financialconnections.SessionCreateParams.Prefetch;
import com.stripe.param.financialconnections.TransactionListParams;
import dev.bankfeed.junit.Bankfeed;
import dev.bankfeed.junit.BankfeedExtension;
import dev.bankfeed.junit.Handler;
import dev.bankfeed.junit.Link;
import dev.bankfeed.junit.Row;
import java.time.Duration;
import java.util.HashMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(BankfeedExtension.class)
class TipTest {
  @Test
  void tip(Bankfeed bankfeed) throws Exception {
    var transactions = bankfeed.client().v1().financialConnections().transactions();
    var copy = new HashMap<String, Transaction>();
    var params = TransactionListParams.builder();

    Handler handle = // the webhook handler of your application
        event -> {
          if (event.getType().endsWith("refreshed_transactions")) {
            var account = (Account) event.getDataObjectDeserializer().getObject().orElseThrow();
            for (var row : transactions.list(params.setAccount(account.getId()).build()).autoPagingIterable()) {
              copy.put(row.getId(), row);
            }
            String last = account.getTransactionRefresh().getId();
            params.setTransactionRefresh(TransactionListParams.TransactionRefresh.builder().setAfter(last).build());
          }
        };

    var feed = bankfeed.link(new Link().prefetch(Prefetch.TRANSACTIONS).webhook(handle));
    var coffee = feed.addPending(-1200, "Blue Door Coffee");
    feed.refresh();
    coffee.post(-1440);
    feed.refresh();
    feed.advance(Duration.ofDays(7)); // returns when every webhook was answered
    assertEquals(feed.ledger(), Row.of(copy.values()));
  }
}
