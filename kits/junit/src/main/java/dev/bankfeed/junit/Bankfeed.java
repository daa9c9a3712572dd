package dev.bankfeed.junit;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.stripe.StripeClient;
import com.stripe.exception.StripeException;
import com.stripe.net.ApiResource.RequestMethod;
import com.stripe.param.CustomerCreateParams;
import com.stripe.param.WebhookEndpointCreateParams;
import com.stripe.param.financialconnections.AccountSubscribeParams;
import com.stripe.param.financialconnections.SessionCreateParams;
import com.stripe.param.testhelpers.TestClockCreateParams;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** One empty merchant on the server, with a key of its own. */
public final class Bankfeed implements AutoCloseable {
  static final String HELPERS = "/v1/test_helpers";
  static final String BANK = HELPERS + "/financial_connections";
  static final int WAIT_S_MAX = 60;
  private static final long BEGIN_S = 1_790_000_000L;

  private final String url = Server.url();
  private final String key;
  private final StripeClient client;
  private final List<Receiver> receivers = new ArrayList<>();

  /** Makes a merchant. The first one of a process starts the server. */
  public Bankfeed() {
    byte[] random = new byte[12];
    new SecureRandom().nextBytes(random);
    key = "sk_test_" + HexFormat.of().formatHex(random);
    client = StripeClient.builder().setApiKey(key).setApiBase(url).build();
  }

  /** Returns the official SDK's client for the key. */
  public StripeClient client() {
    return client;
  }

  /** Returns the secret key. */
  public String key() {
    return key;
  }

  /** Returns the server's address. */
  public String url() {
    return url;
  }

  /**
   * Links one bank account of a new customer, whose time a test clock moves. Returns after the prefetches have ended and
   * their webhooks were answered.
   */
  public Feed link(Link link) throws StripeException {
    Endpoint endpoint = link.webhook == null ? null : endpoint(link.webhook);
    var clock =
        client.v1().testHelpers().testClocks().create(TestClockCreateParams.builder().setFrozenTime(BEGIN_S).build());
    var customer =
        client.v1().customers().create(CustomerCreateParams.builder().setTestClock(clock.getId()).build());
    var holder =
        SessionCreateParams.AccountHolder.builder()
            .setType(SessionCreateParams.AccountHolder.Type.CUSTOMER)
            .setCustomer(customer.getId())
            .build();
    var wanted = SessionCreateParams.builder().setAccountHolder(holder).addAllPermission(link.permissions);
    if (!link.prefetch.isEmpty()) {
      wanted.addAllPrefetch(link.prefetch);
    }
    var session = client.v1().financialConnections().sessions().create(wanted.build());
    Map<String, Object> form = new LinkedHashMap<>(Map.of("carrier", session.getId()));
    put(form, "institution", link.institution);
    put(form, "accounts[]", link.account);
    put(form, "seed", link.seed);
    JsonObject linked = call(RequestMethod.POST, BANK + "/link", form);
    JsonArray accounts = linked.getAsJsonObject("accounts").getAsJsonArray("data");
    String account = accounts.get(0).getAsJsonObject().get("id").getAsString();
    if (link.subscribed && link.permissions.contains(SessionCreateParams.Permission.TRANSACTIONS)) {
      var features =
          AccountSubscribeParams.builder().addFeature(AccountSubscribeParams.Feature.TRANSACTIONS).build();
      client.v1().financialConnections().accounts().subscribe(account, features);
    }
    settle();
    return new Feed(this, account, customer.getId(), clock.getId(), session.getId(), endpoint);
  }

  /** Registers a function that receives each verified event. */
  public Endpoint endpoint(Handler handler) throws StripeException {
    try {
      Receiver receiver = new Receiver(handler);
      receivers.add(receiver);
      Endpoint endpoint = endpoint(receiver.url());
      receiver.verifyBy(endpoint.secret());
      return endpoint;
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  /** Registers the URL of a receiver for all events. */
  public Endpoint endpoint(String url) throws StripeException {
    var wanted =
        WebhookEndpointCreateParams.builder()
            .setUrl(url)
            .addEnabledEvent(WebhookEndpointCreateParams.EnabledEvent.ALL)
            .putExtraParam("api_version", com.stripe.Stripe.API_VERSION)
            .build();
    var created = client.v1().webhookEndpoints().create(wanted);
    return new Endpoint(created.getId(), created.getUrl(), created.getSecret());
  }

  /**
   * Waits until all due work is done and every webhook was attempted once. Throws the error of a function that received
   * a webhook.
   */
  public void settle() throws StripeException {
    call(RequestMethod.GET, HELPERS + "/settled?timeout=" + WAIT_S_MAX, Map.of());
    for (Receiver receiver : receivers) {
      Throwable error = receiver.takeError();
      if (error != null) {
        throw new AssertionError("a function that received a webhook failed: " + error, error);
      }
    }
  }

  /** Adds the test banks of a scenario, a file in TOML or JSON, to this merchant. */
  public void scenario(String text) throws StripeException {
    call(RequestMethod.POST, BANK + "/scenarios", Map.of("scenario", text));
  }

  /** Creates a fault, such as {@code fault("webhook_lost", Map.of("every", 3))}. */
  public void fault(String kind, Map<String, Object> params) throws StripeException {
    Map<String, Object> form = new LinkedHashMap<>(params);
    form.put("kind", kind);
    call(RequestMethod.POST, HELPERS + "/faults", form);
  }

  /** Returns the findings about the client, as if the client had done all its work. */
  public List<Finding> judge() throws StripeException {
    JsonObject report = call(RequestMethod.GET, HELPERS + "/consumer_report?finished=true", Map.of());
    List<Finding> findings = new ArrayList<>();
    for (JsonElement element : report.getAsJsonArray("findings")) {
      JsonObject one = element.getAsJsonObject();
      String subject = text(one, "account") + text(one, "webhook_endpoint");
      findings.add(new Finding(text(one, "code"), subject, text(one, "message"), text(one, "fix")));
    }
    return findings;
  }

  /** Makes any call by its path, and returns the response. */
  public JsonObject call(RequestMethod method, String path, Map<String, Object> params) throws StripeException {
    String form =
        params.entrySet().stream()
            .map(param -> encoded(param.getKey()) + "=" + encoded(String.valueOf(param.getValue())))
            .collect(Collectors.joining("&"));
    var response = client.rawRequest(method, path, method == RequestMethod.GET ? null : form);
    return JsonParser.parseString(response.body()).getAsJsonObject();
  }

  /** Stops the receivers. */
  @Override
  public void close() {
    receivers.forEach(Receiver::stop);
    receivers.clear();
  }

  private static void put(Map<String, Object> form, String name, Object value) {
    if (value != null) {
      form.put(name, value);
    }
  }

  private static String text(JsonObject object, String name) {
    JsonElement value = object.get(name);
    return value == null || value.isJsonNull() ? "" : value.getAsString();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
