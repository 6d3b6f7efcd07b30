package org.longspan.jobs.livy;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;

/** Gives tests a {@link LivyBed}, one for all of them; skips them where there is nothing for it. */
final class LivyExtension implements ExecutionCondition, ParameterResolver {
  private static final Namespace NAMESPACE = Namespace.create(LivyExtension.class);

  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    for (String variable : new String[] {LivyServer.SPARK, LivyServer.JARS}) {
      if (System.getenv(variable) == null) {
        return ConditionEvaluationResult.disabled(
            variable
                + " is not set: it names a folder with "
                + (variable.equals(LivyServer.SPARK) ? "a Spark distribution" : "Livy's jars"));
      }
    }
    return ConditionEvaluationResult.enabled("a Spark distribution and Livy's jars are there");
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    return parameter.getParameter().getType() == LivyBed.class;
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    return context
        .getRoot()
        .getStore(NAMESPACE)
        .getOrComputeIfAbsent(LivyBed.class, key -> start(), LivyBed.class);
  }

  private static LivyBed start() {
    try {
      return LivyBed.start();
    } catch (Exception failure) {
      throw new ParameterResolutionException("Livy did not start", failure);
    }
  }
}
