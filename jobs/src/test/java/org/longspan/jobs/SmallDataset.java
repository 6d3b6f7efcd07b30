package org.longspan.jobs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.longspan.datapipeline.prepare.Prepare;
import org.longspan.datapipeline.prepare.PrepareOptions;

/** A dataset that is trained on in seconds. */
public final class SmallDataset {
  private static final int SEQUENCE_LENGTH = 2048;

  private SmallDataset() {}

  /** Writes its text into a folder, and gives the text's. */
  static String writeText(Path folder) throws IOException {
    Path text = Files.createDirectories(folder.resolve("text"));
    Random random = new Random(1);
    for (int file = 0; file < 20; file++) {
      StringBuilder words = new StringBuilder();
      for (int word = 0; word < 150; word++) {
        words
            .append("abcdefgh".repeat(1 + random.nextInt(2)), 0, 2 + random.nextInt(6))
            .append(' ');
      }
      Files.writeString(text.resolve(file + ".txt"), words);
    }
    return text.toString();
  }

  /** Prepares it in a folder, by a Spark in this process, and gives its path. */
  public static String prepare(Path folder) throws IOException {
    String text = writeText(folder);
    String data = folder.resolve("data").toString();
    try (SparkRuntime spark = SparkRuntime.start("test", "local[2]", 2)) {
      Prepare.run(
          spark.session(),
          PrepareOptions.of(List.of(text), data, SEQUENCE_LENGTH).withValidationShare(0.2));
    }
    return data;
  }
}
