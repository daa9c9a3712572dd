package dev.bankfeed.junit;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The server of a test process: a process of its own, or one that runs already. */
final class Server {
  private static final int READY_S_MAX = 30;
  private static final int POLL_MS = 10;
  private static String url;

  private Server() {}

  /**
   * Returns the address of the server. The first call starts it, on a free port with its data in memory.
   *
   * <p>With the variable BANKFEED_URL it is the server at this address instead. The program is that of the variable
   * BANKFEED_BINARY, or else {@code bankfeed} on the PATH. BANKFEED_ARGS contains further arguments of {@code bankfeed
   * serve}, separated by spaces.
   */
  static synchronized String url() {
    if (url == null) {
      String running = System.getenv("BANKFEED_URL");
      url = running != null ? running.replaceAll("/+$", "") : start();
    }
    return url;
  }

  private static String start() {
    String chosen = System.getenv("BANKFEED_BINARY");
    try {
      Path folder = Files.createTempDirectory("bankfeed-junit-");
      Path ready = folder.resolve("ready");
      File log = folder.resolve("log").toFile();
      // The system closes the pipe however this process ends, so no server is left behind.
      List<String> command =
          new ArrayList<>(
              List.of(
                  chosen != null ? chosen : "bankfeed",
                  "serve",
                  "--memory",
                  "--listen",
                  "127.0.0.1:0",
                  "--stop-with-stdin",
                  "--ready-file",
                  ready.toString(),
                  "--log-level",
                  "warn"));
      String more = System.getenv("BANKFEED_ARGS");
      if (more != null && !more.isBlank()) {
        command.addAll(List.of(more.trim().split(" +")));
      }
      ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log);
      try {
        return readyUrl(started(builder), ready, log);
      } finally {
        Files.deleteIfExists(ready);
        Files.deleteIfExists(log.toPath());
        Files.deleteIfExists(folder);
      }
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }

  private static Process started(ProcessBuilder builder) {
    try {
      return builder.start();
    } catch (IOException error) {
      String message =
          "the program bankfeed cannot be started. Install it, or set BANKFEED_BINARY to the program, or BANKFEED_URL "
              + "to a running server";
      throw new IllegalStateException(message, error);
    }
  }

  private static String readyUrl(Process process, Path ready, File log) throws IOException {
    for (int waited = 0; waited < READY_S_MAX * 1_000; waited += POLL_MS) {
      if (Files.exists(ready)) {
        String text = Files.readString(ready).trim();
        if (!text.isEmpty()) {
          return text.replaceAll("/+$", "");
        }
      }
      try {
        if (process.waitFor(POLL_MS, TimeUnit.MILLISECONDS)) {
          throw new IllegalStateException(
              "bankfeed ended with " + process.exitValue() + ":\n" + Files.readString(log.toPath()));
        }
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException(interrupted);
      }
    }
    process.destroy();
    throw new IllegalStateException("bankfeed was not ready after " + READY_S_MAX + " seconds");
  }
}
