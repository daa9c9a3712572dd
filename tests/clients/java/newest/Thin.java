import com.stripe.Stripe;
import com.stripe.events.UnknownEventNotification;
import com.stripe.model.financialconnections.Account;
import com.stripe.model.v2.core.Event;
import com.stripe.model.v2.core.EventDestination;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.financialconnections.AccountRefreshParams;
import com.stripe.param.financialconnections.SessionCreateParams;
import com.stripe.param.v2.core.EventDestinationCreateParams;
import java.util.Optional;

/**
 * Thin events by the newest Java client: from an event destination to the fetched object. The client
 * has no types for the events of Financial Connections, and reads them as unknown notifications.
 */
final class Thin {
  private static final String ENDED =
      "v1.financial_connections.account.balance_refresh_succeeded";

  public static void main(String[] arguments) throws Exception {
    boolean passed = false;
    try (Server server = new Server();
        Inbox inbox = new Inbox()) {
      fetch(new Merchant(server, inbox));
      passed = true;
      System.out.printf(
          "java stripe-java %s (%s): a thin event leads to its account%n",
          Stripe.VERSION, Stripe.API_VERSION);
    } catch (Exception | AssertionError error) {
      System.out.println("FAILED java: a thin event leads to its account");
      error.printStackTrace(System.out);
    }
    System.out.printf("%d passed, %d failed%n", passed ? 1 : 0, passed ? 0 : 1);
    System.exit(passed ? 0 : 1);
  }

  private static void fetch(Merchant merchant) throws Exception {
    EventDestination destination =
        merchant
            .stripe
            .v2()
            .core()
            .eventDestinations()
            .create(
                EventDestinationCreateParams.builder()
                    .setName("Java")
                    .setType(EventDestinationCreateParams.Type.WEBHOOK_ENDPOINT)
                    .setEventPayload(EventDestinationCreateParams.EventPayload.THIN)
                    .addEnabledEvent(ENDED)
                    .setWebhookEndpoint(
                        EventDestinationCreateParams.WebhookEndpoint.builder()
                            .setUrl(merchant.inbox.url())
                            .build())
                    .addInclude(
                        EventDestinationCreateParams.Include.WEBHOOK_ENDPOINT__SIGNING_SECRET)
                    .build());
    String secret = destination.getWebhookEndpoint().getSigningSecret();
    String linked = linked(merchant);
    merchant
        .stripe
        .v1()
        .financialConnections()
        .accounts()
        .refresh(
            linked,
            AccountRefreshParams.builder()
                .addFeature(AccountRefreshParams.Feature.BALANCE)
                .build());
    UnknownEventNotification notified =
        merchant.inbox.await(
            "the end of the refresh",
            delivery ->
                Optional.of(
                        (UnknownEventNotification)
                            merchant.stripe.parseEventNotification(
                                delivery.body(), delivery.signature(), secret))
                    .filter(event -> event.getRelatedObject().getId().equals(linked)));
    Merchant.equal(ENDED, notified.getType());
    Event event = notified.fetchEvent();
    Merchant.equal(notified.getId(), event.getId());
    Account account = (Account) notified.fetchRelatedObject();
    Merchant.equal(linked, account.getId());
    Merchant.equal("succeeded", account.getBalanceRefresh().getStatus());
  }

  /** Links an account whose balance may be refreshed. */
  private static String linked(Merchant merchant) throws Exception {
    var customer =
        merchant
            .stripe
            .v1()
            .customers()
            .create(
                CustomerCreateParams.builder().setEmail(Merchant.EMAIL).build());
    var sessions = merchant.stripe.v1().financialConnections().sessions();
    var session =
        sessions.create(
            SessionCreateParams.builder()
                .setAccountHolder(
                    SessionCreateParams.AccountHolder.builder()
                        .setType(SessionCreateParams.AccountHolder.Type.CUSTOMER)
                        .setCustomer(customer.getId())
                        .build())
                .addPermission(SessionCreateParams.Permission.BALANCES)
                .build());
    merchant.help(
        "/financial_connections/link", "carrier", session.getId(), "accounts[]", "High Balance");
    return sessions.retrieve(session.getId()).getAccounts().getData().get(0).getId();
  }
}
