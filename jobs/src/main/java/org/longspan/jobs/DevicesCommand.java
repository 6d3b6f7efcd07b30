package org.longspan.jobs;

import com.aparapi.device.OpenCLDevice;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.longspan.executors.bench.kernel.DeviceProbe;
import org.longspan.executors.bench.kernel.DeviceRates;
import org.longspan.executors.opencl.OpenClDevices;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Prints the OpenCL devices. */
@Command(
    name = "devices",
    description =
        "The OpenCL devices of this machine: their limits, and the rates that they reach through"
            + " Aparapi.")
final class DevicesCommand implements Callable<Integer> {
  private static final double MEBIBYTE = 1 << 20;

  @Mixin private JsonChoice output;

  @Override
  public Integer call() {
    PrintStream out = Terminal.standard().out();
    List<OpenCLDevice> devices = OpenClDevices.all();
    if (devices.isEmpty() && !output.isJson()) {
      out.println(
          "There is no OpenCL device on this machine; an OpenCL driver would show one (on Debian:"
              + " apt-get install pocl-opencl-icd for the processor).");
    }
    for (int index = 0; index < devices.size(); index++) {
      OpenCLDevice device = devices.get(index);
      DeviceRates rates = DeviceProbe.of(device);
      out.println(output.isJson() ? json(index, device, rates) : text(index, device, rates));
    }
    return 0;
  }

  private static String json(int index, OpenCLDevice device, DeviceRates rates) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    object.put("index", index);
    object.put("name", device.getName().strip());
    object.put("platform", device.getOpenCLPlatform().getName().strip());
    object.put("driver", device.getOpenCLPlatform().getVersion().strip());
    object.put("type", device.getType().name().toLowerCase(Locale.ROOT));
    object.put("compute_units", device.getMaxComputeUnits());
    object.put("memory_bytes", device.getGlobalMemSize());
    object.put("allocation_bytes", device.getMaxMemAllocSize());
    object.put("work_group", device.getMaxWorkGroupSize());
    object.put("local_bytes", device.getLocalMemSize());
    object.put("teraflops", rates.compute().operationsPerSecond() / 1e12);
    object.put("copy_gigabytes_per_second", rates.compute().copiedBytesPerSecond() / 1e9);
    object.put("put_gigabytes_per_second", rates.putBytesPerSecond() / 1e9);
    object.put("get_gigabytes_per_second", rates.getBytesPerSecond() / 1e9);
    object.put("launch_microseconds", rates.launchSeconds() * 1e6);
    return object.toString();
  }

  private static String text(int index, OpenCLDevice device, DeviceRates rates) {
    return String.format(
        Locale.ROOT,
        "%d: %s, %s, %s%n"
            + "   memory %,.0f MiB, in one buffer %,.0f MiB; work-groups of %,d; local memory %,.0f"
            + " KiB; %d compute units%n"
            + "   measured: %.3f TFLOP/s in float, copies %.1f GB/s read and written, put %.1f GB/s,"
            + " get %.1f GB/s, a launch %.0f µs",
        index,
        OpenClDevices.name(device),
        device.getType().name().toLowerCase(Locale.ROOT),
        device.getOpenCLPlatform().getVersion().strip(),
        device.getGlobalMemSize() / MEBIBYTE,
        device.getMaxMemAllocSize() / MEBIBYTE,
        device.getMaxWorkGroupSize(),
        device.getLocalMemSize() / 1024.0,
        device.getMaxComputeUnits(),
        rates.compute().operationsPerSecond() / 1e12,
        rates.compute().copiedBytesPerSecond() / 1e9,
        rates.putBytesPerSecond() / 1e9,
        rates.getBytesPerSecond() / 1e9,
        rates.launchSeconds() * 1e6);
  }
}
