package org.longspan.jobs;

import java.io.IOException;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;

/** Finds out before any work is done whether a folder can be written, on any Hadoop file system. */
final class OutputFolder {
  private static final String PROBE = "_longspan-can-write";

  private OutputFolder() {}

  /**
   * Refuses a folder that cannot be made or written: a file is put beside where it will be, in the
   * nearest folder that exists, and taken away again.
   */
  static void requireWritable(Configuration hadoop, String output) {
    try {
      Path folder = new Path(output);
      FileSystem files = folder.getFileSystem(hadoop);
      Path existing = files.makeQualified(folder);
      while (!files.exists(existing) && existing.getParent() != null) {
        existing = existing.getParent();
      }
      if (!files.getFileStatus(existing).isDirectory()) {
        throw new InvalidInputException(
            "The output "
                + output
                + " cannot be written: "
                + Location.shown(existing.toString())
                + " is a file, not a folder.");
      }
      Path probe = new Path(existing, PROBE + "-" + ProcessHandle.current().pid());
      files.create(probe, true).close();
      files.delete(probe, false);
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidInputException(
          "The output "
              + output
              + " cannot be written ("
              + e.getMessage()
              + "); name a folder that can be.",
          e);
    }
  }
}
