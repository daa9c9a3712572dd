import com.stripe.exception.ApiConnectionException;
import com.stripe.exception.AuthenticationException;
import com.stripe.exception.IdempotencyException;
import com.stripe.exception.InvalidRequestException;
import com.stripe.exception.PermissionException;
import com.stripe.exception.RateLimitException;
import com.stripe.exception.SignatureVerificationException;
import com.stripe.net.RequestOptions;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.CustomerListParams;
import com.stripe.param.CustomerUpdateParams;
import com.stripe.param.EventListParams;
import com.stripe.param.financialconnections.AccountListParams;
import com.stripe.param.financialconnections.AccountSubscribeParams;
import com.stripe.param.financialconnections.TransactionListParams;
import com.stripe.param.testhelpers.TestClockAdvanceParams;
import com.stripe.param.testhelpers.TestClockCreateParams;
import com.stripe.service.V1Services;
import java.net.ServerSocket;
import java.util.Optional;

/** An error of each type as the client's typed exception, and a connection that is cut. */
final class Mistakes {
  private static final long START = 1_790_000_000L;
  private static final long DAY_S = 86_400L;

  private final Merchant merchant;
  private final V1Services v1;

  Mistakes(Merchant merchant) {
    this.merchant = merchant;
    v1 = merchant.stripe.v1();
  }

  void aKeyThatOpensNothingAndOneThatMayNotAreTypedErrors() {
    var stranger = Merchant.client("sk_wrong", merchant.server.port, 0);
    Merchant.refused(
        401, null, AuthenticationException.class, () -> stranger.v1().customers().list());
    var browser = Merchant.client("pk_test_java", merchant.server.port, 0);
    Merchant.refused(
        403, "secret_key_required", PermissionException.class, () -> browser.v1().customers().list());
  }

  void wrongParametersUnknownIdsAndReusedKeysAreTypedErrors() throws Exception {
    var accounts = v1.financialConnections().accounts();
    Merchant.refused(
        404, "resource_missing", InvalidRequestException.class, () -> accounts.retrieve("fca_none"));
    var nothing = AccountSubscribeParams.builder().build();
    Merchant.refused(
        400,
        "parameter_missing",
        InvalidRequestException.class,
        () -> accounts.subscribe(merchant.account, nothing));
    var once = RequestOptions.builder().setIdempotencyKey("java-once").build();
    var named = CustomerCreateParams.builder().setName("Once").build();
    var first = v1.customers().create(named, once);
    Merchant.equal(first.getId(), v1.customers().create(named, once).getId());
    var other = CustomerCreateParams.builder().setName("Twice").build();
    Merchant.refused(
        400, null, IdempotencyException.class, () -> v1.customers().create(other, once));
  }

  void aForgedWebhookIsRefusedByTheClientsOwnVerifier() throws Exception {
    var came = merchant.inbox.await("any webhook", Optional::of);
    String forged = came.body().replace("\"livemode\":false", "\"livemode\":true");
    Merchant.refused(
        SignatureVerificationException.class,
        () -> merchant.stripe.constructEvent(forged, came.signature(), merchant.secret));
  }

  void aConnectionThatIsCutIsTriedAgainAndTheWorkIsDoneOnce() throws Exception {
    String email = "cut@example.com";
    var named = CustomerCreateParams.builder().setEmail(email).build();
    try (CutOnce front = new CutOnce(merchant.server.port)) {
      var made = Merchant.client(Merchant.KEY, front.port(), 2).v1().customers().create(named);
      var all = v1.customers().list(CustomerListParams.builder().setEmail(email).build());
      Merchant.equal(1, all.getData().size());
      Merchant.equal(made.getId(), all.getData().get(0).getId());
    }
    // A port of its own, since connections are kept by their address.
    int gone;
    try (ServerSocket free = new ServerSocket(0)) {
      gone = free.getLocalPort();
    }
    var nobody = Merchant.client(Merchant.KEY, gone, 0);
    Merchant.refused(ApiConnectionException.class, () -> nobody.v1().customers().create(named));
  }

  void aDisconnectedAccountIsClosed() throws Exception {
    v1.financialConnections().accounts().disconnect(merchant.account);
    var of = TransactionListParams.builder().setAccount(merchant.account).build();
    Merchant.refused(
        400,
        "financial_connections_account_inactive",
        InvalidRequestException.class,
        () -> v1.financialConnections().transactions().list(of));
    String type = "financial_connections.account.disconnected";
    var events = v1.events().list(EventListParams.builder().setType(type).build());
    Merchant.equal(type, events.getData().get(0).getType());
  }

  /** The last, since the clock goes on for a while. */
  void whatHangsOnAnAdvancingClockIsARateLimit() throws Exception {
    var clocks = v1.testHelpers().testClocks();
    var clock = clocks.create(TestClockCreateParams.builder().setFrozenTime(START).build());
    var timed = CustomerCreateParams.builder().setTestClock(clock.getId()).build();
    var customer = v1.customers().create(timed);
    var connections = v1.financialConnections();
    var session = connections.sessions().create(Guide.session(customer.getId()).build());
    merchant.link(session.getId());
    var of = AccountListParams.builder().setSession(session.getId()).build();
    var subscribe =
        AccountSubscribeParams.builder().addFeature(AccountSubscribeParams.Feature.TRANSACTIONS);
    var account = connections.accounts().list(of).getData().get(0);
    connections.accounts().subscribe(account.getId(), subscribe.build());
    var later = TestClockAdvanceParams.builder().setFrozenTime(START + 700 * DAY_S).build();
    clocks.advance(clock.getId(), later);
    var hasty = Merchant.client(Merchant.KEY, merchant.server.port, 0);
    var early = CustomerUpdateParams.builder().setName("Too early").build();
    Merchant.refused(
        429,
        "lock_timeout",
        RateLimitException.class,
        () -> hasty.v1().customers().update(customer.getId(), early));
  }
}
