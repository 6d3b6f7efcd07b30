package org.longspan.datapipeline.prepare;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Row;
import org.apache.spark.util.SerializableConfiguration;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.datapipeline.dataset.Location;

/** The entries of archives as documents, read as a stream: one entry is in memory at a time. */
final class ArchiveEntries implements Iterator<Row>, AutoCloseable {
  private final SerializableConfiguration hadoop;
  private final Iterator<String> archives;
  private Path path;
  private ZipInputStream archive;
  private int entries;
  private Row pending;

  ArchiveEntries(SerializableConfiguration hadoop, Iterator<String> archives) {
    this.hadoop = hadoop;
    this.archives = archives;
  }

  @Override
  public boolean hasNext() {
    try {
      while (pending == null) {
        if (archive == null) {
          if (!archives.hasNext()) {
            return false;
          }
          open(new Path(archives.next()));
        }
        advance();
      }
      return true;
    } catch (IOException | IllegalArgumentException e) {
      throw new InvalidInputException(
          "Archive %s cannot be read behind its first %d entries (%s); repair it or leave it out."
              .formatted(path, entries, e.getMessage()),
          e);
    }
  }

  @Override
  public Row next() {
    if (!hasNext()) {
      throw new NoSuchElementException("The archives are over");
    }
    Row row = pending;
    pending = null;
    return row;
  }

  @Override
  public void close() {
    if (archive != null) {
      try {
        archive.close();
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot close " + path, e);
      } finally {
        archive = null;
      }
    }
  }

  private void open(Path next) throws IOException {
    path = next;
    entries = 0;
    InputStream in = path.getFileSystem(hadoop.value()).open(path);
    archive = new ZipInputStream(in, StandardCharsets.UTF_8);
  }

  private void advance() throws IOException {
    ZipEntry entry = archive.getNextEntry();
    if (entry == null) {
      close();
      if (entries == 0) {
        throw new IOException("it holds no entry");
      }
      return;
    }
    entries++;
    if (!entry.isDirectory() && !InputFiles.hidden(entry.getName())) {
      pending = DocumentRow.read(archive, Location.shown(path.toString()) + "!/" + entry.getName());
    }
  }
}
