package dev.bankfeed.junit;

import com.stripe.exception.SignatureVerificationException;
import com.stripe.model.Event;
import com.stripe.net.Webhook;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/**
 * Calls a function for each webhook, one at a time, after it has verified the signature. The response is 200 after a
 * normal return and 500 after an error. The error is stored for the test.
 */
final class Receiver {
  private final Handler handler;
  private final HttpServer server;
  private String secret = "";
  private Throwable error;

  Receiver(Handler handler) throws IOException {
    this.handler = handler;
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::receive);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/webhook";
  }

  synchronized void verifyBy(String secret) {
    this.secret = secret;
  }

  /** Removes and returns the last error of the function, or null. */
  synchronized Throwable takeError() {
    Throwable taken = error;
    error = null;
    return taken;
  }

  void stop() {
    server.stop(0);
  }

  private synchronized void receive(HttpExchange exchange) throws IOException {
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status(body, exchange.getRequestHeaders().getFirst("Stripe-Signature")), -1);
    exchange.close();
  }

  private int status(String body, String signature) {
    Event event;
    try {
      event = Webhook.constructEvent(body, signature, secret);
    } catch (SignatureVerificationException | RuntimeException wrong) {
      return 400;
    }
    try {
      handler.handle(event);
      return 200;
    } catch (Throwable thrown) {
      error = thrown;
      return 500;
    }
  }
}
