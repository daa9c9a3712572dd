import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** A way to the server whose first connection is cut after the server has done the work. */
final class CutOnce implements AutoCloseable {
  private final ServerSocket front;
  private final int server;
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();

  CutOnce(int server) throws IOException {
    this.server = server;
    front = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    daemon(this::accept);
  }

  int port() {
    return front.getLocalPort();
  }

  private void accept() throws IOException {
    for (boolean first = true; ; first = false) {
      Socket client = front.accept();
      clients.add(client);
      boolean cut = first;
      daemon(() -> forward(client, cut));
    }
  }

  private void forward(Socket client, boolean cut) throws IOException {
    try (client;
        Socket upstream = new Socket(InetAddress.getLoopbackAddress(), server)) {
      InputStream asked = client.getInputStream();
      daemon(() -> asked.transferTo(upstream.getOutputStream()));
      if (cut) {
        upstream.getInputStream().read();
      } else {
        upstream.getInputStream().transferTo(client.getOutputStream());
      }
    }
  }

  /** Work that ends with its connections. */
  interface Work {
    void run() throws IOException;
  }

  private static void daemon(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException ended) {
                // One of the two sides has gone, which is what this class is for.
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    front.close();
    for (Socket client : clients) {
      client.close();
    }
  }
}
