import com.stripe.StripeClient;
import com.stripe.exception.StripeException;
import com.stripe.model.Event;
import com.stripe.model.financialconnections.Account;
import com.stripe.net.ApiResource.RequestMethod;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.Optional;

/** What the steps share: each one begins where the one before it ended. */
final class Merchant {
  static final String KEY = "sk_test_java";
  static final String EMAIL = "jenny.rosen@example.com";
  static final String HELPERS = "/v1/test_helpers";
  private static final String REFRESHED = "financial_connections.account.refreshed_transactions";

  final Server server;
  final Inbox inbox;
  final StripeClient stripe;
  String secret;
  String customer;
  String account;
  String refresh;

  Merchant(Server server, Inbox inbox) {
    this.server = server;
    this.inbox = inbox;
    stripe = client(KEY, server.port, 2);
  }

  static StripeClient client(String key, int port, int retries) {
    return StripeClient.builder()
        .setApiKey(key)
        .setApiBase(Server.url(port))
        .setMaxNetworkRetries(retries)
        .build();
  }

  /** Calls one of the server's own test helpers; names and values alternate. */
  void help(String path, String... form) throws StripeException {
    StringBuilder content = new StringBuilder();
    for (int place = 0; place < form.length; place += 2) {
      String value = URLEncoder.encode(form[place + 1], StandardCharsets.UTF_8);
      content.append(place == 0 ? "" : "&").append(form[place]).append('=').append(value);
    }
    stripe.rawRequest(RequestMethod.POST, HELPERS + path, content.toString());
  }

  /** Links an account of a test bank as the holder would, without a browser. */
  void link(String carrier) throws StripeException {
    help("/financial_connections/link", "carrier", carrier);
  }

  /** The object of a verified event, if the client knows its type and it is of the endpoint's version. */
  Optional<Account> accountOf(Inbox.Delivery delivery, String type) throws Exception {
    Event event = stripe.constructEvent(delivery.body(), delivery.signature(), secret);
    if (!event.getType().equals(type)) {
      return Optional.empty();
    }
    return Optional.of((Account) event.getDataObjectDeserializer().getObject().orElseThrow());
  }

  /** Waits for the verified event about the end of a refresh. */
  void told(String refresh) throws Exception {
    Account account =
        inbox.await(
            "the end of " + refresh,
            delivery ->
                accountOf(delivery, REFRESHED)
                    .filter(told -> told.getTransactionRefresh().getId().equals(refresh)));
    equal("succeeded", account.getTransactionRefresh().getStatus());
  }

  static void equal(Object wanted, Object got) {
    if (!Objects.equals(wanted, got)) {
      throw new AssertionError("got " + got + " instead of " + wanted);
    }
  }

  static void holds(boolean condition, String what) {
    if (!condition) {
      throw new AssertionError("it does not hold that " + what);
    }
  }

  /** A call that has to fail. */
  interface Call {
    void run() throws Exception;
  }

  /** The typed exception of a call that has to fail. */
  static <T extends Exception> T refused(Class<T> type, Call call) {
    try {
      call.run();
    } catch (Exception error) {
      if (error.getClass().equals(type)) {
        return type.cast(error);
      }
      throw new AssertionError("not " + type.getSimpleName(), error);
    }
    throw new AssertionError("the call was not refused");
  }

  static void refused(int status, String code, Class<? extends StripeException> type, Call call) {
    StripeException error = refused(type, call);
    equal(status, error.getStatusCode());
    equal(code, error.getCode());
  }
}
