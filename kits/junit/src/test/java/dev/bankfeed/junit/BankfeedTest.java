package dev.bankfeed.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import com.stripe.exception.StripeException;
import com.stripe.model.financialconnections.Account;
import com.stripe.param.financialconnections.AccountRefreshParams.Feature;
import com.stripe.param.financialconnections.SessionCreateParams.Prefetch;
import com.stripe.param.financialconnections.TransactionListParams;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.EventType;

@ExtendWith(BankfeedExtension.class)
class BankfeedTest {
  private static List<Long> coffees(App app) {
    return app.rows().stream().filter(row -> row.description().equals("Blue Door Coffee")).map(Row::amount).toList();
  }

  @Test
  void aTip(Bankfeed bankfeed) throws StripeException {
    App app = new App(bankfeed.client());
    Feed feed = bankfeed.link(new Link().prefetch(Prefetch.TRANSACTIONS).webhook(app::handle));
    BankTransaction coffee = feed.addPending(-1200, "Blue Door Coffee");
    feed.refresh();
    assertEquals(List.of(-1200L), coffees(app));
    coffee.post(-1440);
    feed.refresh();
    assertEquals(List.of(-1440L), coffees(app));
    feed.advance(Duration.ofDays(7)); // returns when every webhook was answered
    assertEquals(feed.ledger(), app.rows());
    assertFalse(app.rows().isEmpty());
  }

  @Test
  void aFailedRefreshChangesNoRow(Bankfeed bankfeed) throws StripeException {
    App app = new App(bankfeed.client());
    Feed feed = bankfeed.link(new Link().webhook(app::handle));
    List<Row> before = app.rows();
    feed.add(-500, "Parking");
    feed.failNext("institution_timeout");
    assertEquals("failed", feed.refresh().getTransactionRefresh().getStatus());
    assertEquals(before, app.rows());
    assertEquals("succeeded", feed.refresh().getTransactionRefresh().getStatus());
    assertEquals(before.size() + 1, app.rows().size());
    assertEquals(feed.ledger(), app.rows());
  }

  @Test
  void balanceOwnersAndStatus(Bankfeed bankfeed) throws StripeException {
    Feed feed = bankfeed.link(new Link());
    feed.setBalance(12345);
    feed.setOwners("Jenny Rosen");
    assertEquals(12345L, feed.refresh(Feature.BALANCE, Feature.OWNERSHIP).getBalance().getCurrent().get("usd"));
    feed.deactivate("access_expired");
    assertEquals("inactive", feed.retrieve().getStatus());
    feed.reactivate();
    assertEquals("active", feed.retrieve().getStatus());
  }

  @Test
  void aScenarioAddsABank(Bankfeed bankfeed) throws StripeException {
    bankfeed.scenario("name = \"Quiet Bank\"\n[[accounts]]\nname = \"Checking\"\nbalance = \"12.00\"");
    Feed feed = bankfeed.link(new Link().institution("Quiet Bank"));
    assertEquals(List.of(), feed.ledger());
    assertEquals(1200L, feed.refresh(Feature.BALANCE).getBalance().getCurrent().get("usd"));
  }

  @Test
  void keysShareNoData(Bankfeed bankfeed) throws StripeException {
    try (Bankfeed other = new Bankfeed()) {
      other.link(new Link());
    }
    assertTrue(bankfeed.client().v1().customers().list().getData().isEmpty());
  }

  /** Tests that fail on purpose. The build does not run them by themselves, because of the name. */
  @ExtendWith(BankfeedExtension.class)
  static class Failing {
    static void stopsPaging(Bankfeed bankfeed) throws StripeException {
      var transactions = bankfeed.client().v1().financialConnections().transactions();
      Handler webhook =
          event -> {
            if (event.getType().endsWith("refreshed_transactions")) {
              var account = (Account) event.getDataObjectDeserializer().getObject().orElseThrow();
              transactions.list(TransactionListParams.builder().setAccount(account.getId()).build());
            }
          };
      bankfeed.link(new Link().prefetch(Prefetch.TRANSACTIONS).webhook(webhook));
    }

    @Test
    void judged(Bankfeed bankfeed) throws StripeException {
      stopsPaging(bankfeed);
    }

    @Test
    @Unjudged
    void unjudged(Bankfeed bankfeed) throws StripeException {
      stopsPaging(bankfeed);
    }

    @Test
    void broken(Bankfeed bankfeed) throws StripeException {
      bankfeed.link(
          new Link()
              .webhook(
                  event -> {
                    throw new IllegalStateException("no such column");
                  }));
    }
  }

  private static String failure(String method) {
    var events =
        EngineTestKit.engine("junit-jupiter")
            .selectors(selectMethod(Failing.class, method, Bankfeed.class))
            .execute()
            .testEvents();
    assertEquals(1, events.finished().count());
    var ended = events.stream().filter(event -> event.getType() == EventType.FINISHED).findFirst().orElseThrow();
    var result = ended.getRequiredPayload(org.junit.platform.engine.TestExecutionResult.class);
    return result.getThrowable().map(Throwable::getMessage).orElse("");
  }

  @Test
  void theJudgeFailsAClientThatStopsPaging() {
    String failure = failure("judged");
    assertTrue(failure.contains("paging_stopped") && failure.contains("Fix: Read every page"), failure);
    assertTrue(failure.contains("key sk_test_"), failure);
  }

  @Test
  void anAnnotationSwitchesTheJudgeOff() {
    assertEquals("", failure("unjudged"));
  }

  @Test
  void anErrorOfTheReceiverFailsTheTest() {
    assertTrue(failure("broken").contains("no such column"));
  }
}
