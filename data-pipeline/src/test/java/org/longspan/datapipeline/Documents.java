package org.longspan.datapipeline;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes texts for tests. */
public final class Documents {
  private Documents() {}

  /** Different texts of 1 to {@code longest} characters, some of several bytes. */
  public static List<String> random(int count, int longest, long seed) {
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      StringBuilder text = new StringBuilder(i + ":");
      int length = 1 + random.nextInt(longest);
      for (int k = 0; k < length; k++) {
        text.append("abcdefgh \näß€".charAt(random.nextInt(13)));
      }
      texts.add(text.toString());
    }
    return texts;
  }

  /** A folder with a file for each text. */
  public static Path folder(Path folder, List<String> texts) throws IOException {
    Files.createDirectories(folder);
    for (int i = 0; i < texts.size(); i++) {
      Files.writeString(folder.resolve(i + ".txt"), texts.get(i));
    }
    return folder;
  }

  /** Adds an entry to an archive. */
  public static void entry(ZipOutputStream archive, String name, byte[] content)
      throws IOException {
    archive.putNextEntry(new ZipEntry(name));
    archive.write(content);
    archive.closeEntry();
  }

  public static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
