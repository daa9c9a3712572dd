import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.regex.Pattern;

/** The real binary as a child process on an empty database. */
final class Server implements AutoCloseable {
  private static final Pattern ADDRESS = Pattern.compile("http://127\\.0\\.0\\.1:(\\d+)");

  final int port;
  private final Process process;
  private final Path folder;

  Server() throws IOException {
    folder = Files.createTempDirectory("bankfeed-client-");
    String binary = System.getenv().getOrDefault("BANKFEED_BINARY", "target/debug/bankfeed");
    String database = folder.resolve("bank.db").toString();
    ProcessBuilder builder =
        new ProcessBuilder(binary, "serve", "--listen", "127.0.0.1:0", "--db", database);
    builder.environment().put("BANKFEED_POLL_MS", "50");
    builder.environment().put("BANKFEED_COOL_DOWN_TEST", "0");
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    process = builder.start();
    // The address is printed once the server takes requests.
    BufferedReader printed = new BufferedReader(new InputStreamReader(process.getInputStream()));
    String line = printed.readLine();
    while (line != null && !ADDRESS.matcher(line).find()) {
      line = printed.readLine();
    }
    if (line == null) {
      throw new IOException("the server did not start");
    }
    var found = ADDRESS.matcher(line);
    found.find();
    port = Integer.parseInt(found.group(1));
  }

  static String url(int port) {
    return "http://127.0.0.1:" + port;
  }

  @Override
  public void close() throws IOException {
    process.destroy();
    process.onExit().join();
    try (var files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
