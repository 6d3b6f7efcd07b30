package org.longspan.datapipeline.dataset;

import java.io.FileInputStream;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSInputStream;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RawLocalFileSystem;

/** The local file system without checksums; counts the bytes that are read of files. */
public final class CountingFileSystem extends RawLocalFileSystem {
  private static final AtomicLong BYTES = new AtomicLong();

  @Override
  public FSDataInputStream open(Path path, int bufferSize) throws IOException {
    return new FSDataInputStream(new CountingStream(new FileInputStream(pathToFile(path))));
  }

  static long bytesRead() {
    return BYTES.get();
  }

  private static final class CountingStream extends FSInputStream {
    private final FileInputStream file;

    CountingStream(FileInputStream file) {
      this.file = file;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : Byte.toUnsignedInt(one[0]);
    }

    @Override
    public int read(byte[] target, int offset, int length) throws IOException {
      int read = file.read(target, offset, length);
      BYTES.addAndGet(Math.max(0, read));
      return read;
    }

    @Override
    public void seek(long position) throws IOException {
      file.getChannel().position(position);
    }

    @Override
    public long getPos() throws IOException {
      return file.getChannel().position();
    }

    @Override
    public boolean seekToNewSource(long position) {
      return false;
    }

    @Override
    public void close() throws IOException {
      file.close();
    }
  }
}
