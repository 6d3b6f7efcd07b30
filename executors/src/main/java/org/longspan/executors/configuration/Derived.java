package org.longspan.executors.configuration;

/** What follows from several options, or from one where another leaves it open. */
public final class Derived {
  private static final int ROUND_FEED_FORWARD_TO = 64;

  private Derived() {}

  /** Hidden columns of the feed-forward part. */
  public static int feedForward(RunConfiguration configuration) {
    int asked = configuration.get(Options.MODEL_FEED_FORWARD);
    int width = configuration.get(Options.MODEL_WIDTH);
    int derived =
        (8 * width / 3 + ROUND_FEED_FORWARD_TO - 1) / ROUND_FEED_FORWARD_TO * ROUND_FEED_FORWARD_TO;
    return asked == 0 ? derived : asked;
  }
}
