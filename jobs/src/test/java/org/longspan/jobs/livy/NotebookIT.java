package org.longspan.jobs.livy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.longspan.jobs.ReferenceRun;
import org.longspan.jobs.Waiting;

/** The notebook from its first cell to its last, with real Livy and Spark behind it. */
@EnabledIfEnvironmentVariable(
    named = "LONGSPAN_PYTHON",
    matches = ".+",
    disabledReason = "LONGSPAN_PYTHON names no Python with nbclient, ipykernel and matplotlib")
@ExtendWith(LivyExtension.class)
class NotebookIT {
  private static final Path NOTEBOOK = Path.of("notebooks/train-through-livy.ipynb");

  /** Keeps the executed notebook and its pictures, for people to look at. */
  private static final Path EXECUTED = Path.of("target/notebook");

  private static final String EXECUTE =
      """
      import sys
      import nbformat
      from nbclient import NotebookClient
      notebook = nbformat.read(sys.argv[1], as_version=4)
      NotebookClient(
          notebook,
          timeout=240,
          kernel_name="python3",
          resources={"metadata": {"path": sys.argv[3]}},
      ).execute()
      nbformat.write(notebook, sys.argv[2])
      """;

  @Test
  void shouldTrainDrawAndWrite(LivyBed bed) throws Exception {
    Files.createDirectories(EXECUTED);
    Path run = bed.folder().resolve("notebook");
    JsonNode cells = execute(bed, run).path("cells");
    assertThat(bed.losses("notebook")).isEqualTo(bed.reference());

    List<BufferedImage> pictures = new ArrayList<>();
    StringBuilder printed = new StringBuilder();
    for (JsonNode cell : cells) {
      for (JsonNode output : cell.path("outputs")) {
        printed.append(text(output.path("text")));
        String png = text(output.path("data").path("image/png")).strip();
        if (!png.isEmpty()) {
          byte[] bytes = Base64.getMimeDecoder().decode(png);
          Files.write(EXECUTED.resolve("curves-" + pictures.size() + ".png"), bytes);
          pictures.add(ImageIO.read(new ByteArrayInputStream(bytes)));
        }
      }
    }
    assertThat(printed.toString())
        .contains("named longspan-train-", "step " + ReferenceRun.STEPS + ": loss ")
        .containsPattern("abcd[\\s\\S]{20}");
    assertThat(pictures).hasSize(1);
    // matplotlib's first and third colours: the curves of the loss and of the speed.
    assertThat(colours(pictures.get(0))).contains(0x1f77b4, 0x2ca02c);
  }

  private static JsonNode execute(LivyBed bed, Path run) throws Exception {
    Path executed = EXECUTED.resolve("train-through-livy.ipynb");
    Path log = EXECUTED.resolve("python.log");
    ProcessBuilder builder =
        new ProcessBuilder(
            System.getenv("LONGSPAN_PYTHON"),
            "-c",
            EXECUTE,
            NOTEBOOK.toString(),
            executed.toString(),
            NOTEBOOK.getParent().toString());
    builder.environment().put("LONGSPAN_LIVY_URL", bed.server().url());
    builder
        .environment()
        .put(
            "LONGSPAN_JAR",
            Path.of("target/longspan-application.jar").toAbsolutePath().toUri().toString());
    builder.environment().put("LONGSPAN_DATA", bed.folder().resolve("data").toString());
    builder.environment().put("LONGSPAN_OUTPUT", run.toString());
    builder.environment().put("LONGSPAN_STEPS", Integer.toString(ReferenceRun.STEPS));
    Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(Waiting.forEnd(process)).as(() -> readable(log)).isZero();
    return new ObjectMapper().readTree(executed.toFile());
  }

  private static String readable(Path log) {
    try {
      return Files.readString(log, StandardCharsets.UTF_8);
    } catch (IOException unreadable) {
      return unreadable.toString();
    }
  }

  /** A notebook writes a text as one string or as its lines. */
  private static String text(JsonNode node) {
    StringBuilder text = new StringBuilder();
    if (node.isArray()) {
      node.forEach(line -> text.append(line.asText()));
    } else {
      text.append(node.asText(""));
    }
    return text.toString();
  }

  private static Set<Integer> colours(BufferedImage picture) {
    Set<Integer> colours = new HashSet<>();
    for (int y = 0; y < picture.getHeight(); y++) {
      for (int x = 0; x < picture.getWidth(); x++) {
        colours.add(picture.getRGB(x, y) & 0xffffff);
      }
    }
    return colours;
  }
}
