package org.longspan.driver.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.hadoop.conf.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.longspan.executors.train.RankEvent;
import org.longspan.parallelism.mesh.Mesh;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class RunObserverTest {
  @TempDir Path folder;
  private final ByteArrayOutputStream written = new ByteArrayOutputStream();

  @Test
  void shouldSayWhereEachRankRunsAndOnWhat() throws IOException {
    try (RunObserver observer = create()) {
      observer.accept(new RankEvent.Ready(1, 0, "worker-b", 77, 2, "cpu, AVX-512"));
      observer.accept(new RankEvent.Ready(0, 1, "worker-a", 76, 1, "aparapi, PoCL"));
    }
    assertThat(text())
        .contains("Mesh    1 data × 2 sequence × 1 tensor = 2 ranks\n")
        .contains("Rank 1  cpu, AVX-512 on worker-b, process 77, 2 threads\n")
        .contains("Rank 0  aparapi, PoCL on worker-a, process 76, 1 thread, attempt 2\n");
  }

  @Test
  void shouldSayWhyAnAttemptFailed() throws IOException {
    try (RunObserver observer = create()) {
      observer.accept(
          new RankEvent.Failed(1, 0, "worker-b", "Rank 1, peer 0: nothing arrived within 5 s"));
    }
    assertThat(text())
        .contains(
            "Attempt 1 failed: rank 1 on worker-b: Rank 1, peer 0: nothing arrived within 5 s\n");
    assertThat(Files.readString(folder.resolve("run.jsonl")))
        .startsWith("{\"failed_attempt\":1,")
        .contains("nothing arrived within 5 s");
  }

  @Test
  void shouldListFailedAttemptsInTheReport() throws Exception {
    try (RunObserver observer = create()) {
      run(observer, 3);
      observer.accept(new RankEvent.Failed(1, 0, "worker-b", "it is <lost>"));
    }
    try (RunObserver observer =
        RunObserver.resume(new Configuration(), description(), progress())) {
      observer.accept(new RankEvent.Step(4, 2, 100, 1, 1, 1));
      observer.accept(new RankEvent.Failed(0, 0, "worker-a", "lost again"));
    }
    assertThat(page().getDocumentElement().getTextContent())
        .containsSubsequence(
            "Failed attempts",
            "attempt 1, after step 3",
            "rank 1 on worker-b: it is <lost>",
            "attempt 1, after step 4",
            "rank 0 on worker-a: lost again");
  }

  @Test
  void shouldSayNothingOfFailedAttemptsWhereThereAreNone() throws Exception {
    try (RunObserver observer = create()) {
      run(observer, 3);
    }
    assertThat(page().getDocumentElement().getTextContent()).doesNotContain("Failed attempts");
  }

  @Test
  void shouldLogAndRememberWhatARunReached() throws IOException {
    RunObserver observer = create();
    try (observer) {
      run(observer, 4);
      observer.accept(new RankEvent.Validation(4, 2.5, 1000));
      observer.accept(new RankEvent.Checkpoint(4, "folder/checkpoints/step-4"));
    }
    assertThat(observer.validationLoss()).hasValue(2.5);
    assertThat(observer.checkpoint()).isEqualTo("folder/checkpoints/step-4");
    assertThat(observer.steps()).isEqualTo(4);
    assertThat(Files.readAllLines(folder.resolve("run.jsonl"))).hasSize(4);
  }

  @Test
  void shouldCutTheLogWhenALostRankSendsTheRunBack() throws IOException {
    try (RunObserver observer = create()) {
      run(observer, 4);
      observer.accept(new RankEvent.Resumed(1, 2, "folder/checkpoints/step-2"));
      observer.accept(new RankEvent.Step(3, 2, 100, 1, 1, 1));
    }
    assertThat(Files.readAllLines(folder.resolve("run.jsonl"))).hasSize(3);
    assertThat(text()).contains("Goes on after step 2 from folder/checkpoints/step-2\n");
  }

  @Test
  void shouldGoOnWithTheLogOfAResumedRun() throws IOException {
    try (RunObserver observer = create()) {
      run(observer, 3);
    }
    try (RunObserver observer =
        RunObserver.resume(new Configuration(), description(), progress())) {
      observer.accept(new RankEvent.Resumed(0, 3, "c"));
      observer.accept(new RankEvent.Step(4, 2, 100, 1, 1, 1));
    }
    assertThat(Files.readAllLines(folder.resolve("run.jsonl"))).hasSize(4);
  }

  @Test
  void shouldHearNothingAfterTheEnd() throws IOException {
    RunObserver observer = create();
    run(observer, 2);
    observer.close();
    observer.accept(new RankEvent.Step(3, 2, 100, 1, 1, 1));
    observer.close();
    assertThat(Files.readAllLines(folder.resolve("run.jsonl"))).hasSize(2);
  }

  @Test
  void shouldGoOnWhenTheFolderCannotBeWritten() throws IOException {
    RunObserver observer = create();
    Files.delete(folder.resolve("run.jsonl"));
    Files.createDirectories(folder.resolve("report.html").resolve("in-the-way"));
    run(observer, 2);
    observer.accept(new RankEvent.Checkpoint(2, "c"));
    observer.accept(new RankEvent.Checkpoint(2, "c"));
    observer.close();
    assertThat(text()).containsOnlyOnce("cannot be written, the run goes on without");
  }

  @Test
  void shouldDrawEveryCurveInTheReport() throws Exception {
    try (RunObserver observer = create()) {
      observer.accept(new RankEvent.Ready(0, 0, "worker-a", 76, 1, "cpu <AVX & more>"));
      run(observer, 1500);
      observer.accept(new RankEvent.Validation(1500, 2.5, 1000));
    }
    Document page = page();
    NodeList curves = page.getElementsByTagName("polyline");
    assertThat(curves.getLength()).isEqualTo(6);
    String points = curves.item(0).getAttributes().getNamedItem("points").getNodeValue();
    assertThat(points.split(" ")).hasSizeBetween(400, 800);
    assertThat(page.getDocumentElement().getTextContent())
        .contains("Loss", "Speed", "Gradient norm", "Learning rate", "validation loss2.5000")
        .contains("cpu <AVX & more>", "model.width96", "Spark4.1.3", "bigram entropy 2.6500");
  }

  @Test
  void shouldWriteLocalPathsOfTheReportWithoutAScheme() throws Exception {
    try (RunObserver observer = create()) {
      observer.accept(new RankEvent.Checkpoint(2, "file:/runs/first/checkpoints/step-2"));
    }
    assertThat(page().getDocumentElement().getTextContent())
        .contains("newest checkpoint/runs/first/checkpoints/step-2", "folder" + folder)
        .doesNotContain("file:");
  }

  @Test
  void shouldReportARunWithoutAStep() throws Exception {
    create().close();
    assertThat(page().getDocumentElement().getTextContent()).contains("No step is done yet");
  }

  @Test
  void shouldLeaveAGapWhereALossIsNoNumber() throws Exception {
    try (RunObserver observer = create()) {
      run(observer, 3);
      observer.accept(new RankEvent.Step(4, Double.NaN, 100, 1, Double.NaN, 1));
      observer.accept(new RankEvent.Step(5, 2, 100, 1, 1, 1));
    }
    NodeList curves = page().getElementsByTagName("polyline");
    for (int i = 0; i < curves.getLength(); i++) {
      assertThat(curves.item(i).getAttributes().getNamedItem("points").getNodeValue())
          .doesNotContain("NaN");
    }
  }

  private Document page() throws Exception {
    String html = Files.readString(folder.resolve("report.html"));
    assertThat(html).doesNotContain("http:", "https:", "src=", "<script", "@import", "url(");
    String xml = html.replace("<!DOCTYPE html>", "").replaceAll("<meta ([^>]*)>", "<meta $1/>");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }

  private RunObserver create() throws IOException {
    return RunObserver.create(new Configuration(), description(), progress());
  }

  private ProgressLine progress() {
    return new ProgressLine(new PrintStream(written, true, StandardCharsets.UTF_8), false, 4);
  }

  private RunDescription description() {
    return new RunDescription(
        folder.toUri().toString(),
        "text, sequences of 16,384 tokens",
        new Mesh(1, 2, 1),
        4,
        Map.of("model.width", "96"),
        Map.of("bigram entropy", 2.65),
        Map.of("Spark", "4.1.3"));
  }

  private static void run(RunObserver observer, int steps) {
    for (int i = 1; i <= steps; i++) {
      observer.accept(new RankEvent.Step(i, 2.4 + 3 / (1 + i / 20.0), 16_384, 1.2, 0.8, i * 1e-5));
    }
  }

  private String text() {
    return written.toString(StandardCharsets.UTF_8);
  }
}
