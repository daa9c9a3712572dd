import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A webhook endpoint that keeps what it is sent. */
final class Inbox implements AutoCloseable {
  /** A webhook as it came: the text that was signed, and the signature. */
  record Delivery(String body, String signature) {}

  /** Makes something of a delivery, or nothing. */
  interface Finder<T> {
    Optional<T> find(Delivery delivery) throws Exception;
  }

  private static final long WAIT_S_MAX = 30;

  private final HttpServer server;
  private final List<Delivery> deliveries = new ArrayList<>();

  Inbox() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/webhook",
        exchange -> {
          byte[] body = exchange.getRequestBody().readAllBytes();
          String signature = exchange.getRequestHeaders().getFirst("Stripe-Signature");
          synchronized (deliveries) {
            deliveries.add(new Delivery(new String(body, StandardCharsets.UTF_8), signature));
            deliveries.notifyAll();
          }
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.start();
  }

  String url() {
    return Server.url(server.getAddress().getPort()) + "/webhook";
  }

  /** What the finder makes of the first delivery of which it makes anything; waits for it. */
  <T> T await(String what, Finder<T> finder) throws Exception {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_S_MAX);
    int seen = 0;
    synchronized (deliveries) {
      while (true) {
        while (seen < deliveries.size()) {
          Optional<T> found = finder.find(deliveries.get(seen++));
          if (found.isPresent()) {
            return found.get();
          }
        }
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) {
          throw new AssertionError("waited " + WAIT_S_MAX + " s for " + what);
        }
        deliveries.wait(left);
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
