package org.longspan.parallelism.message;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;

/**
 * Writes and reads messages with Kryo. Every class has been registered with a serializer of its
 * own; any other is refused, on both sides. Lists are {@link ArrayList}s.
 *
 * <p>A message starts with eight bytes: a checksum of the registered classes, so that both sides
 * speak of the same ones, and a checksum of the bytes that follow.
 *
 * <p>Threading: any thread; one message at a time.
 */
public final class MessageCodec {
  private static final int HEADER_BYTES = 2 * Integer.BYTES;
  private static final int FIRST_BYTES = 256;

  private final Kryo kryo = new Kryo();
  private final int classes;

  private MessageCodec(Map<Class<?>, Serializer<?>> serializers) {
    kryo.setRegistrationRequired(true);
    kryo.setReferences(false);
    CRC32 names = new CRC32();
    serializers.forEach(
        (type, serializer) -> {
          kryo.register(type, serializer);
          names.update(type.getName().getBytes(StandardCharsets.UTF_8));
        });
    classes = (int) names.getValue();
  }

  /** Registers {@link ArrayList} and {@link RankAddress}; more may follow. */
  public static Builder builder() {
    Builder builder = new Builder();
    builder.serializers.put(ArrayList.class, new ArrayListSerializer());
    return builder.register(RankAddress.class, new RankAddress.RankAddressSerializer());
  }

  /** The classes of a codec, in the same order on both sides. */
  public static final class Builder {
    private final Map<Class<?>, Serializer<?>> serializers = new LinkedHashMap<>();

    private Builder() {}

    public <T> Builder register(Class<T> type, Serializer<T> serializer) {
      if (serializers.putIfAbsent(type, serializer) != null) {
        throw new IllegalArgumentException(type.getName() + " is registered already");
      }
      return this;
    }

    public MessageCodec build() {
      return new MessageCodec(serializers);
    }
  }

  public synchronized byte[] encode(Object message) {
    try (Output output = new Output(FIRST_BYTES, -1)) {
      output.setPosition(HEADER_BYTES);
      kryo.writeClassAndObject(output, message);
      byte[] bytes = output.toBytes();
      ByteBuffer.wrap(bytes).putInt(classes).putInt(checksum(bytes));
      return bytes;
    } catch (KryoException | IllegalArgumentException e) {
      throw new MessageException(
          "Cannot write a message of " + message.getClass().getName() + ": " + e.getMessage(), e);
    } finally {
      kryo.reset();
    }
  }

  public synchronized <T> T decode(byte[] bytes, Class<T> type) {
    check(bytes);
    try (Input input = new Input(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES)) {
      Object message = kryo.readClassAndObject(input);
      if (!type.isInstance(message) || input.available() > 0) {
        throw new MessageException(
            "Expected a message of "
                + type.getName()
                + " but "
                + (message == null ? "nothing" : message.getClass().getName())
                + " came, followed by "
                + input.available()
                + " bytes");
      }
      return type.cast(message);
    } catch (IOException | RuntimeException e) {
      throw e instanceof MessageException known
          ? known
          : new MessageException("Cannot read a message: " + e.getMessage(), e);
    } finally {
      kryo.reset();
    }
  }

  /** {@link #encode} as text, where only text travels. */
  public String encodeText(Object message) {
    return Base64.getEncoder().encodeToString(encode(message));
  }

  /** The counterpart of {@link #encodeText}. */
  public <T> T decodeText(String text, Class<T> type) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new MessageException("A message of " + text.length() + " characters is not Base64", e);
    }
    return decode(bytes, type);
  }

  private void check(byte[] bytes) {
    if (bytes.length < HEADER_BYTES) {
      throw new MessageException("A message of " + bytes.length + " bytes has no header");
    }
    ByteBuffer header = ByteBuffer.wrap(bytes);
    if (header.getInt() != classes) {
      throw new MessageException(
          "A message of "
              + bytes.length
              + " bytes was written with other classes, or is no message at all");
    }
    if (header.getInt() != checksum(bytes)) {
      throw new MessageException("A message of " + bytes.length + " bytes is damaged");
    }
  }

  private static int checksum(byte[] bytes) {
    CRC32 checksum = new CRC32();
    checksum.update(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES);
    return (int) checksum.getValue();
  }
}
