package org.longspan.executors.opencl;

import com.aparapi.Config;
import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The OpenCL devices of this machine, as its drivers show them to this process. */
public final class OpenClDevices {
  /** Aparapi warns of every class file attribute that it does not know, and of newer drivers. */
  private static final Logger APARAPI = quiet(Logger.getLogger(Config.getLoggerName()));

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

  /** A GPU where there is one, else any device. */
  public static Optional<OpenCLDevice> best() {
    return all().stream()
        .min(Comparator.comparing(device -> device.getType() == Device.TYPE.GPU ? 0 : 1));
  }

  /** A GPU. */
  public static Optional<OpenCLDevice> gpu() {
    return all().stream().filter(device -> device.getType() == Device.TYPE.GPU).findFirst();
  }

  /** The device's and its platform's name, for the run's first lines. */
  public static String name(OpenCLDevice device) {
    return device.getName().strip() + " (" + device.getOpenCLPlatform().getName().strip() + ")";
  }
}
