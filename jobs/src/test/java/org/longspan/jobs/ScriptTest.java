package org.longspan.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code bin/longspan} does before any Java of ours runs. */
class ScriptTest {
  @TempDir Path folder;
  private Path script;

  @BeforeEach
  void copyScript() throws IOException {
    Path bin = Files.createDirectories(folder.resolve("a house/bin"));
    script = Files.copy(Path.of("../bin/longspan"), bin.resolve("longspan"));
    Files.createFile(folder.resolve("a house/pom.xml"));
  }

  @Test
  void shouldNameAJavaHomeWithoutAJava() throws Exception {
    Result result = run(script, Map.of("JAVA_HOME", folder.resolve("nowhere").toString()));
    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.output())
        .startsWith("longspan: JAVA_HOME is " + folder.resolve("nowhere"))
        .hasLineCount(1);
  }

  @Test
  void shouldNameAJavaThatIsTooOld() throws Exception {
    Result result = run(script, Map.of("JAVA_HOME", java("11.0.2", "exit 1").toString()));
    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.output()).contains("Java 11.0.2").contains("needs JDK 17").hasLineCount(1);
  }

  @Test
  void shouldNameAJavaWithoutACompiler() throws Exception {
    Result result = run(script, Map.of("JAVA_HOME", java("17.0.1", "exit 1").toString()));
    assertThat(result.exitCode()).isEqualTo(2);
    assertThat(result.output()).contains("has no compiler").hasLineCount(1);
  }

  @Test
  void shouldRunWhatIsBuiltFromAnywhereAndThroughALink() throws Exception {
    Path built = Files.createDirectories(folder.resolve("a house/jobs/target"));
    Files.createFile(built.resolve("longspan-jobs.jar"));
    Files.writeString(built.resolve("longspan.classpath"), "a.jar:b.jar");
    Files.createFile(built.resolve("longspan.options"));
    Path links = Files.createDirectories(folder.resolve("links"));
    Path link =
        Files.createSymbolicLink(
            links.resolve("longspan"), Path.of("../a house/bin/../bin/longspan"));
    Path java = java("21", "printf '%s\\n' \"$@\"; exit 7");
    Result result = run(link, Map.of("JAVA_HOME", java.toString()), "--version", "two words");
    assertThat(result.output())
        .contains(built.toRealPath() + "/longspan-jobs.jar:a.jar:b.jar\n")
        .endsWith("org.longspan.jobs.Longspan\n--version\ntwo words\n");
    assertThat(result.exitCode()).isEqualTo(7);
  }

  @Test
  void shouldKeepJavasSignalsFromOpenClDrivers() throws Exception {
    Path spark = installedSpark("printf '%s\\n' \"$LD_PRELOAD\"");
    Path java = java("17.0.1", "printf '%s\\n' \"${LD_PRELOAD:-none}\"");
    Map<String, String> withSpark =
        Map.of("JAVA_HOME", java.toString(), "SPARK_HOME", spark.toString(), "LD_PRELOAD", "");
    Map<String, String> alone = Map.of("JAVA_HOME", java.toString(), "LD_PRELOAD", "");
    Files.writeString(folder.resolve("a house/jobs/target/longspan.classpath"), "a.jar");
    assertThat(run(script, alone, "devices").output()).isEqualTo("none\n");

    Path library = Files.createDirectories(java.resolve("lib")).resolve("libjsig.so");
    Files.copy(Path.of(System.getProperty("java.home"), "lib/libjsig.so"), library);
    assertThat(run(script, alone, "devices").output()).isEqualTo(library + "\n");
    assertThat(run(script, withSpark, "train", "--master", "local[2]").output())
        .isEqualTo(library + "\n");
  }

  @Test
  void shouldHandSparkJobsToAnInstalledSpark() throws Exception {
    Path spark = installedSpark("printf '%s\\n' \"$@\"");
    Result result =
        run(
            script,
            Map.of("JAVA_HOME", java("17.0.1", "exit 0").toString(), "SPARK_HOME", spark + ""),
            "train",
            "--master",
            "spark://host:7077",
            "--resume");
    assertThat(result.exitCode()).isZero();
    assertThat(result.output())
        .startsWith("--master\nspark://host:7077\n--class\norg.longspan.jobs.Longspan\n")
        .doesNotContain("--jars")
        .endsWith("longspan-application.jar\ntrain\n--master\nspark://host:7077\n--resume\n");
  }

  @Test
  void shouldAskForExecutorsOfItsOwnWhereAnInstalledSparkNamesNoMaster() throws Exception {
    Path spark = installedSpark("printf 'own=%s\\n' \"${LONGSPAN_OWN_EXECUTORS:-no}\"");
    Map<String, String> environment =
        Map.of("JAVA_HOME", java("17.0.1", "exit 0").toString(), "SPARK_HOME", spark.toString());
    assertThat(run(script, environment, "train").output()).isEqualTo("own=1\n");
    assertThat(run(script, environment, "train", "--master=yarn").output()).isEqualTo("own=no\n");
    assertThat(run(script, environment, "bench", "recall").output()).isEqualTo("own=1\n");
    Path defaults = Files.createDirectories(spark.resolve("conf")).resolve("spark-defaults.conf");
    Files.writeString(defaults, "# spark.master yarn\n");
    assertThat(run(script, environment, "train").output()).isEqualTo("own=1\n");
    Files.writeString(defaults, "spark.master yarn\n");
    assertThat(run(script, environment, "train").output()).isEqualTo("own=no\n");
  }

  private Path installedSpark(String submit) throws IOException {
    Path built = Files.createDirectories(folder.resolve("a house/jobs/target"));
    Files.createFile(built.resolve("longspan-jobs.jar"));
    Files.createFile(built.resolve("longspan.options"));
    Path spark = Files.createDirectories(folder.resolve("spark"));
    executable(spark.resolve("bin/spark-submit"), submit);
    return spark;
  }

  private record Result(int exitCode, String output) {}

  private Result run(Path script, Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    ProcessBuilder builder = new ProcessBuilder("bash", script.toString());
    builder.command().addAll(List.of(arguments));
    builder.environment().remove("SPARK_HOME");
    builder.environment().remove("SPARK_CONF_DIR");
    builder.environment().remove("MASTER");
    builder.environment().remove("LONGSPAN_BUILD");
    builder.environment().putAll(environment);
    Process process =
        builder
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    return new Result(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
  }

  /** A Java of some version that does as it is told. */
  private Path java(String version, String body) throws IOException {
    Path home = folder.resolve("java-" + version);
    executable(home.resolve("bin/java"), body);
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"" + version + "\"\n");
    return home;
  }

  private static void executable(Path file, String body) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, "#!/usr/bin/env bash\n" + body + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
  }
}
