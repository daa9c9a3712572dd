package dev.bankfeed.junit;

import static org.junit.platform.commons.support.AnnotationSupport.isAnnotated;

import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * Gives a test a parameter of the type {@link Bankfeed}, an empty merchant with a key of its own. After the test its
 * client is judged.
 */
public final class BankfeedExtension implements ParameterResolver, AfterEachCallback {
  private static final Namespace NAMESPACE = Namespace.create(BankfeedExtension.class);

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == Bankfeed.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context.getStore(NAMESPACE).getOrComputeIfAbsent(Bankfeed.class, type -> new Bankfeed(), Bankfeed.class);
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    try (Bankfeed bankfeed = context.getStore(NAMESPACE).remove(Bankfeed.class, Bankfeed.class)) {
      if (bankfeed == null) {
        return;
      }
      String place = "key " + bankfeed.key() + " on " + bankfeed.url();
      if (context.getExecutionException().isPresent()) {
        context.publishReportEntry("bankfeed", place);
        return;
      }
      bankfeed.settle();
      boolean judged =
          !isAnnotated(context.getElement(), Unjudged.class) && !isAnnotated(context.getTestClass(), Unjudged.class);
      List<Finding> findings = judged ? bankfeed.judge() : List.of();
      if (!findings.isEmpty()) {
        String found = findings.stream().map(Finding::toString).collect(Collectors.joining("\n\n"));
        throw new AssertionError(found + "\n" + place);
      }
    }
  }
}
