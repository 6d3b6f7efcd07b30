package org.longspan.jobs;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The commands that need no Spark on the class path, as a program of their own: for machines with
 * little more than a device.
 */
@Command(
    name = "longspan-device-tools",
    description = "What OpenCL devices and attention's kernels reach.",
    mixinStandardHelpOptions = true,
    subcommands = {DevicesCommand.class, BenchKernelsCommand.class})
final class DeviceTools implements Runnable {
  @Spec private CommandSpec spec;

  private DeviceTools() {}

  public static void main(String[] arguments) {
    PrintWriter errors = new PrintWriter(System.err, true, StandardCharsets.UTF_8);
    System.exit(new CommandLine(new DeviceTools()).setErr(errors).execute(arguments));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "A command is missing.");
  }
}
