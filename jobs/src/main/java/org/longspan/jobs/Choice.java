package org.longspan.jobs;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.longspan.executors.bench.kernel.BenchedKernel;
import org.longspan.executors.bench.kernel.KernelForm;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.conform.TransportKind;
import org.longspan.executors.convert.TransformKind;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.latent.CacheSplit;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.memory.Precision;
import org.longspan.jobs.kubernetes.Gang;
import org.longspan.jobs.kubernetes.Operator;
import org.longspan.parallelism.collective.ScanChoice;
import org.longspan.parallelism.transport.Protection;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads one of an enum's constants, written in small letters. */
abstract class Choice<E extends Enum<E>> implements ITypeConverter<E> {
  private final Class<E> type;

  private Choice(Class<E> type) {
    this.type = type;
  }

  @Override
  public E convert(String value) {
    return Arrays.stream(type.getEnumConstants())
        .filter(constant -> name(constant).equals(value.toLowerCase(Locale.ROOT)))
        .findFirst()
        .orElseThrow(
            () ->
                new TypeConversionException(
                    "it takes "
                        + Arrays.stream(type.getEnumConstants())
                            .map(Choice::name)
                            .collect(Collectors.joining(" or "))
                        + ", not '"
                        + value
                        + "'"));
  }

  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  static final class OfMixer extends Choice<MixerKind> {
    OfMixer() {
      super(MixerKind.class);
    }
  }

  static final class OfTransform extends Choice<TransformKind> {
    OfTransform() {
      super(TransformKind.class);
    }
  }

  static final class OfLatentForm extends Choice<LatentForm> {
    OfLatentForm() {
      super(LatentForm.class);
    }
  }

  static final class OfLatentNorm extends Choice<LatentNorm> {
    OfLatentNorm() {
      super(LatentNorm.class);
    }
  }

  static final class OfLatentReading extends Choice<LatentReading> {
    OfLatentReading() {
      super(LatentReading.class);
    }
  }

  static final class OfCacheSplit extends Choice<CacheSplit> {
    OfCacheSplit() {
      super(CacheSplit.class);
    }
  }

  static final class OfKernel extends Choice<KernelChoice> {
    OfKernel() {
      super(KernelChoice.class);
    }
  }

  static final class OfBenchedKernel extends Choice<BenchedKernel> {
    OfBenchedKernel() {
      super(BenchedKernel.class);
    }
  }

  static final class OfKernelForm extends Choice<KernelForm> {
    OfKernelForm() {
      super(KernelForm.class);
    }
  }

  static final class OfPrecision extends Choice<Precision> {
    OfPrecision() {
      super(Precision.class);
    }
  }

  static final class OfTransport extends Choice<TransportKind> {
    OfTransport() {
      super(TransportKind.class);
    }
  }

  static final class OfScan extends Choice<ScanChoice> {
    OfScan() {
      super(ScanChoice.class);
    }
  }

  static final class OfProtection extends Choice<Protection> {
    OfProtection() {
      super(Protection.class);
    }
  }

  static final class OfDestination extends Choice<Destination> {
    OfDestination() {
      super(Destination.class);
    }
  }

  static final class OfOperator extends Choice<Operator> {
    OfOperator() {
      super(Operator.class);
    }
  }

  static final class OfGang extends Choice<Gang> {
    OfGang() {
      super(Gang.class);
    }
  }
}
