import com.stripe.Stripe;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The official Java client against the real binary: the calls of Stripe's guide in the order of an
 * integration. Prints a line a step, and at the end "N passed, M failed".
 */
final class Main {
  /** A step; the first that fails ends the run, since later ones stand on it. */
  interface Step {
    void act() throws Exception;
  }

  public static void main(String[] arguments) throws Exception {
    int passed = 0;
    int failed = 0;
    try (Server server = new Server();
        Inbox inbox = new Inbox()) {
      for (var step : steps(new Merchant(server, inbox)).entrySet()) {
        try {
          step.getValue().act();
        } catch (Exception | AssertionError error) {
          System.out.println("FAILED java: " + step.getKey());
          error.printStackTrace(System.out);
          failed++;
          break;
        }
        passed++;
        System.out.printf(
            "java stripe-java %s (%s): %s%n", Stripe.VERSION, Stripe.API_VERSION, step.getKey());
      }
    }
    String release = "java stripe-java " + Stripe.VERSION + " (" + Stripe.API_VERSION + ")";
    System.out.printf("%s: %d steps%n%d passed, %d failed%n", release, passed, passed, failed);
    System.exit(failed == 0 ? 0 : 1);
  }

  private static Map<String, Step> steps(Merchant merchant) {
    Map<String, Step> steps = new LinkedHashMap<>();
    Guide guide = new Guide(merchant);
    steps.put(
        "an endpoint is made with the client's own version",
        guide::anEndpointIsMadeWithTheClientsOwnVersion);
    steps.put("a customer is made", guide::aCustomerIsMade);
    steps.put(
        "a session asks for transactions, and its holder links an account",
        guide::aSessionAsksForTransactionsAndItsHolderLinksAnAccount);
    steps.put(
        "nothing is listed before a refresh succeeded",
        guide::nothingIsListedBeforeARefreshSucceeded);
    steps.put(
        "subscribing starts a refresh, and a webhook tells of its end",
        guide::subscribingStartsARefreshAndAWebhookTellsOfItsEnd);
    steps.put("transactions are listed page by page", guide::transactionsAreListedPageByPage);
    steps.put(
        "after a refresh only what came later is listed",
        guide::afterARefreshOnlyWhatCameLaterIsListed);
    steps.put("unsubscribing keeps what was refreshed", guide::unsubscribingKeepsWhatWasRefreshed);
    steps.put(
        "a prefetch starts with the link; owners come with their permission",
        guide::aPrefetchStartsWithTheLinkAndOwnersComeWithTheirPermission);
    steps.put(
        "the same calls work in the resource style", guide::theSameCallsWorkInTheResourceStyle);
    Carriers carriers = new Carriers(merchant);
    steps.put("a Payment Intent collects an account", carriers::aPaymentIntentCollectsAnAccount);
    steps.put("a Setup Intent collects an account", carriers::aSetupIntentCollectsAnAccount);
    steps.put(
        "a Checkout Session collects an account", carriers::aCheckoutSessionCollectsAnAccount);
    steps.put("an invoice collects an account", carriers::anInvoiceCollectsAnAccount);
    steps.put("a subscription collects an account", carriers::aSubscriptionCollectsAnAccount);
    Mistakes mistakes = new Mistakes(merchant);
    steps.put(
        "a key that opens nothing, and one that may not, are typed errors",
        mistakes::aKeyThatOpensNothingAndOneThatMayNotAreTypedErrors);
    steps.put(
        "wrong parameters, unknown ids and reused keys are typed errors",
        mistakes::wrongParametersUnknownIdsAndReusedKeysAreTypedErrors);
    steps.put(
        "a forged webhook is refused by the client's own verifier",
        mistakes::aForgedWebhookIsRefusedByTheClientsOwnVerifier);
    steps.put(
        "a connection that is cut is tried again, and the work is done once",
        mistakes::aConnectionThatIsCutIsTriedAgainAndTheWorkIsDoneOnce);
    steps.put("a disconnected account is closed", mistakes::aDisconnectedAccountIsClosed);
    steps.put(
        "a rate limit, and a failure inside the server, are typed errors",
        mistakes::aRateLimitAndAFailureInsideTheServerAreTypedErrors);
    return steps;
  }
}
