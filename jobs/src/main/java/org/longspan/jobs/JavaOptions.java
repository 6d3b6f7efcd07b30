package org.longspan.jobs;

import org.apache.spark.launcher.JavaModuleOptions;

/**
 * Prints the options that Spark's own scripts start Java with, one a line. The build runs it, so
 * that {@code bin/longspan} has them without asking Spark.
 */
final class JavaOptions {
  private JavaOptions() {}

  public static void main(String[] arguments) {
    for (String option : JavaModuleOptions.defaultModuleOptionArray()) {
      System.out.println(option);
    }
  }
}
