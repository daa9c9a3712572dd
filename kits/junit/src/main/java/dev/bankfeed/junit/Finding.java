package dev.bankfeed.junit;

/**
 * Behavior of a client that would lose data in production. {@code subject} is the id of the bank account or of the
 * webhook endpoint, or empty.
 */
public record Finding(String code, String subject, String message, String fix) {
  @Override
  public String toString() {
    return code + "  " + subject + "\n  " + message + "\n  Fix: " + fix;
  }
}
