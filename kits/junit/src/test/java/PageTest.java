import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The example of README.md is a test of this build. */
class PageTest {
  @Test
  void theExampleOfThePageIsATest() throws Exception {
    String example = Files.readString(Path.of("src/test/java/TipTest.java"));
    assertTrue(Files.readString(Path.of("README.md")).contains("```java\n// TipTest.java\n" + example + "```\n"));
  }
}
