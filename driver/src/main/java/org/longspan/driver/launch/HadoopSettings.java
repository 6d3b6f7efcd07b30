package org.longspan.driver.launch;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import org.apache.hadoop.conf.Configuration;

/** The driver's Hadoop configuration on its way to the executors. */
final class HadoopSettings implements Serializable {
  private static final long serialVersionUID = 1L;

  private final byte[] bytes;

  private HadoopSettings(byte[] bytes) {
    this.bytes = bytes;
  }

  static HadoopSettings of(Configuration configuration) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      configuration.write(new DataOutputStream(bytes));
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return new HadoopSettings(bytes.toByteArray());
  }

  Configuration configuration() {
    Configuration configuration = new Configuration(false);
    try {
      configuration.readFields(new DataInputStream(new ByteArrayInputStream(bytes)));
    } catch (IOException inMemory) {
      throw new UncheckedIOException(inMemory);
    }
    return configuration;
  }
}
