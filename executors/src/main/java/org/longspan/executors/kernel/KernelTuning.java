package org.longspan.executors.kernel;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import org.longspan.datapipeline.InvalidInputException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chooses among the forms of a kernel the one that is fastest on a device, by measuring each once
 * and keeping the times in a file.
 *
 * <p>Threading: any thread; one measures at a time.
 */
final class KernelTuning {
  private static final Logger LOG = LoggerFactory.getLogger(KernelTuning.class);

  /** The one that keeps its times with the user. */
  static final KernelTuning OF_USER =
      new KernelTuning(
          TuningFile.ofUser(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home")));

  private final TuningFile file;
  private final Map<TuningKey, String> chosen = new HashMap<>();

  KernelTuning(TuningFile file) {
    this.file = file;
  }

  /**
   * The fastest form.
   *
   * @param seconds measures a form; throws {@link InvalidInputException} where the device cannot
   *     run it
   * @throws InvalidInputException the first form's, if the device can run none
   */
  synchronized <F extends Enum<F>> F choose(
      TuningKey key, List<F> forms, ToDoubleFunction<F> seconds) {
    String known = chosen.get(key);
    if (known != null) {
      return form(forms, known);
    }
    Optional<Map<String, Double>> kept = kept(key, forms);
    Map<String, Double> times =
        kept.orElseGet(
            () -> {
              Map<String, Double> measured = measure(forms, seconds);
              // Processes that measure at once agree on what the first of them wrote.
              return kept(key, forms).orElseGet(() -> keep(key, measured));
            });
    String fastest =
        times.entrySet().stream().min(Map.Entry.comparingByValue()).orElseThrow().getKey();
    chosen.put(key, fastest);
    LOG.info("{}", describe(key, times, fastest, kept.isPresent()));
    return form(forms, fastest);
  }

  private <F extends Enum<F>> Optional<Map<String, Double>> kept(TuningKey key, List<F> forms) {
    return file.read(key).filter(times -> !times.isEmpty() && areOf(forms, times));
  }

  private Map<String, Double> keep(TuningKey key, Map<String, Double> times) {
    try {
      file.write(key, times);
    } catch (IOException e) {
      LOG.info("What was measured is not kept in {}: {}", file.path(), e.toString());
    }
    return times;
  }

  private String describe(
      TuningKey key, Map<String, Double> times, String fastest, boolean isKept) {
    return String.format(
        Locale.ROOT,
        "%s on %s: %s of %s (%s)",
        key.work(),
        key.device(),
        fastest,
        times.entrySet().stream()
            .map(
                time ->
                    String.format(Locale.ROOT, "%s %.3f ms", time.getKey(), 1e3 * time.getValue()))
            .collect(Collectors.joining(", ")),
        isKept ? "measured before, " + file.path() : "measured now");
  }

  private static <F extends Enum<F>> boolean areOf(List<F> forms, Map<String, Double> times) {
    return forms.stream()
        .map(KernelTuning::name)
        .collect(Collectors.toSet())
        .containsAll(times.keySet());
  }

  private static <F extends Enum<F>> F form(List<F> forms, String name) {
    return forms.stream().filter(form -> name(form).equals(name)).findFirst().orElseThrow();
  }

  private static String name(Enum<?> form) {
    return form.name().toLowerCase(Locale.ROOT);
  }

  private static <F extends Enum<F>> Map<String, Double> measure(
      List<F> forms, ToDoubleFunction<F> seconds) {
    Map<String, Double> times = new TreeMap<>();
    InvalidInputException refused = null;
    for (F form : forms) {
      try {
        times.put(name(form), seconds.applyAsDouble(form));
      } catch (InvalidInputException e) {
        refused = refused == null ? e : refused;
      }
    }
    if (times.isEmpty() && refused != null) {
      throw refused;
    }
    return times;
  }
}
