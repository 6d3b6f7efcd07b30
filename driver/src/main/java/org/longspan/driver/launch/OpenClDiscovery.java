package org.longspan.driver.launch;

import com.aparapi.device.Device;
import com.aparapi.device.OpenCLDevice;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.spark.SparkConf;
import org.apache.spark.api.resource.ResourceDiscoveryPlugin;
import org.apache.spark.resource.ResourceInformation;
import org.apache.spark.resource.ResourceRequest;
import org.longspan.executors.opencl.OpenClDevices;

/**
 * Tells Spark which OpenCL GPUs a machine has, as its resource {@code gpu}: {@code
 * spark.resources.discoveryPlugin} names this class. An address is the device's index in {@code
 * longspan devices}.
 */
public final class OpenClDiscovery implements ResourceDiscoveryPlugin {
  /** Whether other devices count as well, such as a processor's; false where it is not set. */
  public static final String ANY_DEVICE = "spark.longspan.devices.any";

  /** Spark's name for what is discovered. */
  static final String RESOURCE = "gpu";

  @Override
  public Optional<ResourceInformation> discoverResource(ResourceRequest request, SparkConf conf) {
    if (!request.id().resourceName().equals(RESOURCE)) {
      return Optional.empty();
    }
    boolean any = conf.getBoolean(ANY_DEVICE, false);
    List<OpenCLDevice> devices = OpenClDevices.all();
    List<String> addresses = new ArrayList<>();
    for (int index = 0; index < devices.size(); index++) {
      if (any || devices.get(index).getType() == Device.TYPE.GPU) {
        addresses.add(Integer.toString(index));
      }
    }
    return Optional.of(new ResourceInformation(RESOURCE, addresses.toArray(String[]::new)));
  }
}
