import com.stripe.exception.ApiConnectionException;
import com.stripe.exception.ApiException;
import com.stripe.exception.AuthenticationException;
import com.stripe.exception.IdempotencyException;
import com.stripe.exception.InvalidRequestException;
import com.stripe.exception.PermissionException;
import com.stripe.exception.RateLimitException;
import com.stripe.exception.SignatureVerificationException;
import com.stripe.net.RequestOptions;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.CustomerListParams;
import com.stripe.param.EventListParams;
import com.stripe.param.financialconnections.AccountSubscribeParams;
import com.stripe.param.financialconnections.TransactionListParams;
import com.stripe.service.V1Services;
import java.net.ServerSocket;
import java.util.Optional;

/** An error of each type as the client's typed exception, and a connection that is cut. */
final class Mistakes {
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

  void aRateLimitAndAFailureInsideTheServerAreTypedErrors() throws Exception {
    var hasty = Merchant.client(Merchant.KEY, merchant.server.port, 0).v1().customers();
    merchant.help("/faults", "kind", "api_rate_limited", "path", "/v1/customers", "times", "1");
    Merchant.refused(429, "rate_limit", RateLimitException.class, hasty::list);
    merchant.help("/faults", "kind", "api_error_before", "path", "/v1/customers", "times", "1");
    Merchant.refused(500, null, ApiException.class, hasty::list);
  }
}
