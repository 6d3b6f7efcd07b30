package org.longspan.driver.event;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.Arrays;

/**
 * Writes a record as its components, in their order, and reads it through its constructor, since
 * Kryo 4 knows no records. A component is a number, a text, a duration, an enum's constant, or
 * something registered.
 */
final class RecordSerializer<T extends Record> extends Serializer<T> {
  private final RecordComponent[] components;
  private final Constructor<T> constructor;

  RecordSerializer(Class<T> type) {
    super(false, true);
    this.components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    try {
      this.constructor = type.getDeclaredConstructor(types);
    } catch (NoSuchMethodException everyRecordHasIt) {
      throw new IllegalStateException(everyRecordHasIt);
    }
  }

  @Override
  public void write(Kryo kryo, Output output, T value) {
    for (RecordComponent component : components) {
      writeComponent(kryo, output, component.getType(), read(component, value));
    }
  }

  @Override
  public T read(Kryo kryo, Input input, Class<T> type) {
    Object[] values =
        Arrays.stream(components).map(c -> readComponent(kryo, input, c.getType())).toArray();
    try {
      return constructor.newInstance(values);
    } catch (ReflectiveOperationException refused) {
      // Without the values: a secret may be among them.
      throw new KryoException("What was read makes no " + type.getName(), refused);
    }
  }

  private static Object read(RecordComponent component, Object record) {
    try {
      return component.getAccessor().invoke(record);
    } catch (ReflectiveOperationException everyComponentIsReadable) {
      throw new IllegalStateException(everyComponentIsReadable);
    }
  }

  private static void writeComponent(Kryo kryo, Output output, Class<?> type, Object value) {
    if (type == int.class) {
      output.writeInt((int) value);
    } else if (type == long.class) {
      output.writeLong((long) value);
    } else if (type == double.class) {
      output.writeDouble((double) value);
    } else if (type == String.class) {
      output.writeString((String) value);
    } else if (type == Duration.class) {
      output.writeLong(((Duration) value).toSeconds());
      output.writeInt(((Duration) value).toNanosPart());
    } else if (type.isEnum()) {
      output.writeString(((Enum<?>) value).name());
    } else {
      kryo.writeClassAndObject(output, value);
    }
  }

  private static Object readComponent(Kryo kryo, Input input, Class<?> type) {
    if (type == int.class) {
      return input.readInt();
    } else if (type == long.class) {
      return input.readLong();
    } else if (type == double.class) {
      return input.readDouble();
    } else if (type == String.class) {
      return input.readString();
    } else if (type == Duration.class) {
      return Duration.ofSeconds(input.readLong(), input.readInt());
    } else if (type.isEnum()) {
      return constant(type, input.readString());
    }
    return kryo.readClassAndObject(input);
  }

  private static Object constant(Class<?> type, String name) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> ((Enum<?>) constant).name().equals(name))
        .findFirst()
        .orElseThrow(() -> new KryoException("No " + name + " in " + type.getName()));
  }
}
