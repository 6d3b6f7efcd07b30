package org.longspan.driver.event;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.List;
import org.longspan.executors.train.RankEvent;

/**
 * Turns what ranks say into bytes and back, with Kryo. Only the classes listed here can be written
 * or read.
 *
 * <p>Thread-safe.
 */
public final class EventCodec {
  private static final int BUFFER_BYTES = 256;

  /** The place of a class is its number in the bytes: both ends run the same version. */
  private static final List<Class<? extends Record>> CLASSES =
      List.of(
          Introduction.class,
          RankMessage.Sender.class,
          RankMessage.Started.class,
          RankMessage.Told.class,
          RankMessage.Finished.class,
          RankMessage.Failed.class,
          RankEvent.Ready.class,
          RankEvent.Resumed.class,
          RankEvent.Step.class,
          RankEvent.Validation.class,
          RankEvent.Checkpoint.class);

  private final Kryo kryo = new Kryo();

  public EventCodec() {
    kryo.setRegistrationRequired(true);
    kryo.setReferences(false);
    CLASSES.forEach(this::register);
  }

  private <T extends Record> void register(Class<T> type) {
    kryo.register(type, new RecordSerializer<>(type));
  }

  /** The classes that can be written. */
  static List<Class<? extends Record>> classes() {
    return CLASSES;
  }

  public synchronized byte[] encode(Record message) {
    Output output = new Output(BUFFER_BYTES, -1);
    kryo.writeClassAndObject(output, message);
    return output.toBytes();
  }

  /**
   * The message in the bytes.
   *
   * @throws com.esotericsoftware.kryo.KryoException where they hold none
   * @throws ClassCastException where they hold another one
   */
  public synchronized <T> T decode(byte[] bytes, Class<T> type) {
    return type.cast(kryo.readClassAndObject(new Input(bytes)));
  }
}
