package org.longspan.driver.launch;

import java.util.Map;
import org.apache.spark.resource.ResourceInformation;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.opencl.OpenClDevices;

/** Makes a rank use the device that Spark assigned to its task. */
final class AssignedDevice {
  private AssignedDevice() {}

  /** Where Spark assigned none, a rank chooses for itself. */
  static void use(Map<String, ResourceInformation> resources) {
    ResourceInformation gpu = resources.get(OpenClDiscovery.RESOURCE);
    if (gpu == null) {
      return;
    }
    String[] addresses = gpu.addresses();
    if (addresses.length != 1) {
      throw new InvalidInputException(
          "Spark assigned "
              + addresses.length
              + " devices to a rank, which uses one; set spark.task.resource.gpu.amount to 1.");
    }
    OpenClDevices.assign(index(addresses[0]));
  }

  private static int index(String address) {
    try {
      return Integer.parseInt(address);
    } catch (NumberFormatException other) {
      throw new InvalidInputException(
          "Spark assigned the device '"
              + address
              + "', which is no index of an OpenCL device; set spark.resources.discoveryPlugin to "
              + OpenClDiscovery.class.getName()
              + ".",
          other);
    }
  }
}
