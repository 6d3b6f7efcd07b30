package org.longspan.executors.opencl;

import com.aparapi.Kernel.Local;
import com.aparapi.device.OpenCLDevice;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import org.longspan.datapipeline.InvalidInputException;

/**
 * What a kernel's arrays need on a device.
 *
 * @param largestBuffer bytes of the largest array in global memory
 * @param buffers bytes of all of them
 * @param local bytes of a work-group's local memory
 */
record KernelMemory(long largestBuffer, long buffers, long local) {
  private static final long MOST_BYTES = (1L << 31) - 1;
  private static final long ASSUMED_ITEM_BYTES = 8;

  static KernelMemory of(DeviceKernel kernel) {
    long largest = 0;
    long all = 0;
    long local = 0;
    for (Class<?> type = kernel.getClass();
        type != DeviceKernel.class;
        type = type.getSuperclass()) {
      for (Field field : type.getDeclaredFields()) {
        if (!field.getType().isArray() || Modifier.isStatic(field.getModifiers())) {
          continue;
        }
        long bytes = bytes(kernel, field);
        if (field.isAnnotationPresent(Local.class)) {
          local += bytes;
        } else {
          largest = Math.max(largest, bytes);
          all += bytes;
        }
      }
    }
    return new KernelMemory(largest, all, local);
  }

  private static long bytes(DeviceKernel kernel, Field field) {
    field.setAccessible(true);
    try {
      return Array.getLength(field.get(kernel)) * itemBytes(field.getType().getComponentType());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("Cannot read " + field, e);
    }
  }

  private static long itemBytes(Class<?> type) {
    if (type == float.class || type == int.class) {
      return Float.BYTES;
    }
    if (type == char.class) {
      return Character.BYTES;
    }
    return type == byte.class ? Byte.BYTES : ASSUMED_ITEM_BYTES;
  }

  /** Whether a buffer of that size can be made, as far as limits of a single one go. */
  static boolean fits(OpenCLDevice device, long bytes) {
    return bytes <= Math.min(MOST_BYTES, device.getMaxMemAllocSize());
  }

  void check(OpenCLDevice device) {
    if (!fits(device, largestBuffer)) {
      throw new InvalidInputException(
          "The kernel needs a buffer of "
              + largestBuffer
              + " bytes, more than "
              + OpenClDevices.name(device)
              + " allows; use more sequence ranks, or kernel cpu");
    }
    if (buffers > device.getGlobalMemSize()) {
      throw new InvalidInputException(
          "The kernel needs "
              + buffers
              + " bytes of memory, and "
              + OpenClDevices.name(device)
              + " has "
              + device.getGlobalMemSize()
              + "; use more sequence ranks, or kernel cpu");
    }
    if (local > device.getLocalMemSize()) {
      throw new InvalidInputException(
          "The kernel needs "
              + local
              + " bytes of local memory, and "
              + OpenClDevices.name(device)
              + " has "
              + device.getLocalMemSize()
              + "; set kernel: cpu");
    }
  }
}
