package dev.bankfeed.junit;

/** A webhook endpoint of the key. {@code secret} verifies its webhooks. */
public record Endpoint(String id, String url, String secret) {}
