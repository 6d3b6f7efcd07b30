package org.longspan.jobs;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Numbers of ranks, of 1 or more, as {@code 1,2,4}. */
record RankCounts(List<Integer> counts) {
  static final class Converter implements ITypeConverter<RankCounts> {
    @Override
    public RankCounts convert(String text) {
      List<Integer> counts = new ArrayList<>();
      for (String part : text.split(",", -1)) {
        try {
          counts.add(Integer.parseInt(part.strip()));
        } catch (NumberFormatException e) {
          throw refused(text);
        }
        if (counts.get(counts.size() - 1) < 1) {
          throw refused(text);
        }
      }
      return new RankCounts(List.copyOf(counts));
    }

    private static TypeConversionException refused(String text) {
      return new TypeConversionException(
          "it takes numbers of 1 or more with commas between, as 1,2,4, not '" + text + "'");
    }
  }
}
