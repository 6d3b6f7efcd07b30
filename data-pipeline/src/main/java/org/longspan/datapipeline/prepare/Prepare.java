package org.longspan.datapipeline.prepare;

import java.io.IOException;
import java.util.EnumMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.sql.SparkSession;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.datapipeline.dataset.Manifest;
import org.longspan.datapipeline.dataset.ManifestFile;
import org.longspan.datapipeline.dataset.SequenceLayout;
import org.longspan.datapipeline.dataset.SkippedInput;
import org.longspan.datapipeline.dataset.Split;
import org.longspan.datapipeline.dataset.SplitSummary;
import org.longspan.datapipeline.tokenizer.ByteTokenizer;
import org.longspan.datapipeline.tokenizer.Tokenizer;

/**
 * Turns text into a dataset: documents are hashed, split and ordered by their hash, tokenized,
 * packed into sequences and written as pieces. The same input gives the same dataset, however many
 * partitions and executors work on it.
 */
public final class Prepare {
  private static final long BYTES_PER_PARTITION = 32L << 20;

  private final SparkSession spark;
  private final PrepareOptions options;
  private final Tokenizer tokenizer = new ByteTokenizer();
  private final Location output;

  private Prepare(SparkSession spark, PrepareOptions options) {
    this.spark = spark;
    this.options = options;
    this.output = Location.of(spark.sessionState().newHadoopConf(), options.output());
  }

  /** Runs the job and returns when the manifest is written. */
  public static PrepareResult run(SparkSession spark, PrepareOptions options) {
    Prepare job = new Prepare(spark, options);
    try {
      return job.run();
    } catch (Exception e) {
      throw job.failure(e);
    }
  }

  private PrepareResult run() throws IOException {
    boolean existed = refuseOverwriting();
    Configuration hadoop = spark.sessionState().newHadoopConf();
    InputFiles files = InputFiles.list(hadoop, options.inputs());
    OrderedDocuments documents =
        OrderedDocuments.of(
            spark,
            new DocumentSource(spark, options.textColumn()).read(files),
            partitions(files),
            tokenizer,
            options.validationShare());
    refuseNothing(documents);
    boolean finished = false;
    try {
      Manifest manifest = write(documents);
      ManifestFile.write(output, manifest);
      finished = true;
      return new PrepareResult(
          output.path().toString(), manifest, documents.count().skippedNames());
    } finally {
      if (!finished && !existed) {
        output.fileSystem().delete(output.path(), true);
      }
    }
  }

  private Manifest write(OrderedDocuments documents) throws IOException {
    Map<Split, SplitSummary> summaries = new EnumMap<>(Split.class);
    for (Split split : Split.values()) {
      if (documents.count().of(split).documents() > 0) {
        summaries.put(split, write(documents, split));
      }
    }
    return new Manifest(
            Manifest.FORMAT_VERSION,
            tokenizer.name(),
            tokenizer.vocabulary(),
            options.sequenceLength(),
            options.pieceLength(),
            summaries.get(Split.TRAIN),
            summaries.get(Split.VALIDATION),
            documents.count().skipped(),
            "")
        .sealed();
  }

  private SplitSummary write(OrderedDocuments documents, Split split) throws IOException {
    SequenceLayout layout = new SequenceLayout(options.sequenceLength(), options.pieceLength());
    SplitCount count = documents.count().of(split);
    long sequences = layout.sequences(count.tokens());
    long sequencesPerFile = Math.max(1, options.tokensPerFile() / options.sequenceLength());
    return new SplitSummary(
        sequences,
        count.tokens(),
        count.documents(),
        count.bytes(),
        new SplitWriter(spark, output.child(split.folder()))
            .write(documents.pack(split, layout), sequences, sequencesPerFile));
  }

  private int partitions(InputFiles files) {
    if (options.partitions() > 0) {
      return options.partitions();
    }
    long bySize = files.bytes() / BYTES_PER_PARTITION + 1;
    return Math.toIntExact(Math.max(spark.sparkContext().defaultParallelism(), bySize));
  }

  /** True if there is an empty folder already. */
  private boolean refuseOverwriting() throws IOException {
    FileStatus status = output.status().orElse(null);
    if (status == null) {
      return false;
    }
    if (!status.isDirectory() || output.fileSystem().listStatus(output.path()).length > 0) {
      throw new InvalidInputException(
          "Output %s exists already; delete it or name another folder."
              .formatted(Location.shown(output.path().toString())));
    }
    return true;
  }

  private void refuseNothing(OrderedDocuments documents) {
    if (documents.count().documents() == 0) {
      SkippedInput skipped = documents.count().skipped();
      throw new InvalidInputException(
          "Input %s holds no text: %d files or entries are not UTF-8 text, %d are empty, %d are too large."
              .formatted(
                  options.inputNames(), skipped.notText(), skipped.empty(), skipped.tooLarge()));
    }
  }

  /** A task's exception arrives as the cause of Spark's, which is checked but not declared. */
  private RuntimeException failure(Exception failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof InvalidInputException mistake) {
        return mistake;
      }
    }
    if (failure instanceof RuntimeException unchecked) {
      return unchecked;
    }
    return new IllegalStateException("Preparing " + output.path() + " failed", failure);
  }
}
