package org.longspan.jobs;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;
import org.longspan.driver.progress.RunObserver;
import org.longspan.executors.checkpoint.Checkpoint;
import org.longspan.executors.checkpoint.Checkpoints;

/** The folder that a run writes to: {@code checkpoints}, {@code run.jsonl}, {@code report.html}. */
final class RunFolder {
  private static final String CHECKPOINTS = "checkpoints";

  private final Configuration hadoop;
  private final String name;
  private final Location location;

  private RunFolder(Configuration hadoop, String name, Location location) {
    this.hadoop = hadoop;
    this.name = name;
    this.location = location;
  }

  static RunFolder of(Configuration hadoop, String path) {
    return new RunFolder(hadoop, path, Location.of(hadoop, path));
  }

  /** Refuses a folder in which another run would be lost. */
  void requireNoRun() {
    if (location.child(CHECKPOINTS).status().isPresent()) {
      throw new InvalidInputException(
          "The output %s holds another run (%s); go on with it by --resume, or name another folder."
              .formatted(name, CHECKPOINTS));
    }
    if (location.child(RunObserver.LOG_FILE).status().isPresent()) {
      throw new InvalidInputException(
          "The output %s holds another run (%s), which has no checkpoint to go on from; delete the folder, or name another one."
              .formatted(name, RunObserver.LOG_FILE));
    }
    location
        .status()
        .filter(status -> !status.isDirectory())
        .ifPresent(
            file -> {
              throw new InvalidInputException("The output " + name + " is a file, not a folder.");
            });
  }

  /** The run's newest checkpoint; refuses a folder without one. */
  Checkpoint requireCheckpoint() throws IOException {
    if (location.status().isEmpty()) {
      throw new InvalidInputException(
          "The output "
              + name
              + " does not exist, so there is no run to resume; leave --resume out.");
    }
    return Checkpoints.of(hadoop, name)
        .latest()
        .orElseThrow(
            () ->
                new InvalidInputException(
                    "The output "
                        + name
                        + " holds no checkpoint to resume from; leave --resume out and name another"
                        + " folder."));
  }

  /** Where {@code entry} of it lies, for a person to find. */
  String file(String entry) {
    return Location.shown(location.child(entry).path().toString());
  }
}
