package dev.bankfeed.junit;

import com.stripe.model.Event;

/** A function that receives each verified event. */
@FunctionalInterface
public interface Handler {
  /** Handles an event. An error makes the response 500. */
  void handle(Event event) throws Exception;
}
