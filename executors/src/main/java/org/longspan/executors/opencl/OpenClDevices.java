package org.longspan.executors.opencl;

import com.aparapi.Config;
import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.longspan.datapipeline.InvalidInputException;

/** The OpenCL devices of this machine, as its drivers show them to this process. */
public final class OpenClDevices {
  /** Aparapi warns of every class file attribute that it does not know, and of newer drivers. */
  private static final Logger APARAPI = quiet(Logger.getLogger(Config.getLoggerName()));

  /** Which of the devices this process was told to use, and no other; -1 where it was not told. */
  private static int assigned = -1;

  private OpenClDevices() {}

  private static Logger quiet(Logger logger) {
    if (Level.WARNING.equals(logger.getLevel())) {
      logger.setLevel(Level.SEVERE);
    }
    return logger;
  }

  /**
   * All devices; none where there is no OpenCL driver. One thread at a time: a driver may crash
   * where two ask at once.
   */
  public static synchronized List<OpenCLDevice> all() {
    try {
      APARAPI.fine("Listing OpenCL devices");
      List<OpenCLDevice> devices = OpenCLDevice.listDevices(null);
      // Arrays are put and got by name; memory shared with the host would go stale when the
      // collector moves them.
      devices.forEach(device -> device.setSharedMemory(false));
      return devices;
    } catch (LinkageError noDriver) {
      return List.of();
    }
  }

  /**
   * From now on this process uses one device only, as a scheduler assigned it.
   *
   * @param index its place in {@link #all()}
   * @throws InvalidInputException if there is no such device, or the process uses another one
   */
  public static synchronized void assign(int index) {
    int count = all().size();
    if (index < 0 || index >= count) {
      throw new InvalidInputException(
          "OpenCL device "
              + index
              + " was assigned to this process, which sees "
              + count
              + "; `longspan devices` lists them.");
    }
    if (assigned >= 0 && assigned != index) {
      throw new InvalidInputException(
          "OpenCL devices "
              + assigned
              + " and "
              + index
              + " were assigned to one process; give each executor one device"
              + " (spark.executor.resource.gpu.amount 1).");
    }
    assigned = index;
  }

  /** The place of the assigned device in {@link #all()}. */
  public static synchronized OptionalInt assigned() {
    return assigned < 0 ? OptionalInt.empty() : OptionalInt.of(assigned);
  }

  /** The assigned device, or else a GPU where there is one, else any device. */
  public static synchronized Optional<OpenCLDevice> best() {
    if (assigned >= 0) {
      return Optional.of(all().get(assigned));
    }
    return all().stream()
        .min(Comparator.comparing(device -> device.getType() == Device.TYPE.GPU ? 0 : 1));
  }

  /** The assigned device, whatever it is, or else a GPU. */
  public static synchronized Optional<OpenCLDevice> gpu() {
    if (assigned >= 0) {
      return Optional.of(all().get(assigned));
    }
    return all().stream().filter(device -> device.getType() == Device.TYPE.GPU).findFirst();
  }

  /** The device's and its platform's name, for the run's first lines. */
  public static String name(OpenCLDevice device) {
    String name =
        device.getName().strip() + " (" + device.getOpenCLPlatform().getName().strip() + ")";
    return JavaSignals.kept() ? name : name + " without libjsig";
  }
}
