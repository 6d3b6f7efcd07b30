package org.longspan.executors.conform;

import java.nio.file.Path;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;

/**
 * What to run.
 *
 * @param ranks that the tokens are cut over
 * @param scan how the state travels; of no matter to the local mixer
 * @param chunk tokens of a chunk, and of a block of the grid on which tokens are cut
 * @param tensor ranks that share each slice of tokens; more than 1 for the latent mixer only
 * @param latent for the latent mixer, else null
 */
public record ConformOptions(
    MixerKind mixer,
    int ranks,
    int chunk,
    KernelChoice kernel,
    Precision precision,
    TransportKind transport,
    ScanChoice scan,
    Path input,
    Path output,
    int tensor,
    LatentChoices latent) {

  /**
   * How a latent attention is cut.
   *
   * @param form null where nothing is said
   * @param norm null where nothing is said
   * @param groups 0 where nothing is said
   */
  public record LatentChoices(LatentForm form, LatentNorm norm, int groups) {
    public LatentChoices {
      if (groups < 0) {
        throw new InvalidInputException("--groups is " + groups + "; it takes 1 or more.");
      }
      if (form == LatentForm.MLA && groups > 1) {
        throw new InvalidInputException(
            "--groups is " + groups + "; mla has one group, so leave it out or use 1.");
      }
      if (form == LatentForm.MLRA && norm == LatentNorm.EXACT) {
        throw new InvalidInputException(
            "--norm is exact; mlra has a norm of each group's own, so leave it out or use local.");
      }
      if (form == LatentForm.MLRA && groups == 0) {
        throw new InvalidInputException(
            "--form mlra needs --groups: its input does not tell them.");
      }
    }
  }

  /** Of a mixer that is not latent. */
  public ConformOptions(
      MixerKind mixer,
      int ranks,
      int chunk,
      KernelChoice kernel,
      Precision precision,
      TransportKind transport,
      ScanChoice scan,
      Path input,
      Path output) {
    this(mixer, ranks, chunk, kernel, precision, transport, scan, input, output, 1, null);
  }

  /** Tokens of a chunk where nothing else is asked for. */
  public static final int CHUNK = 64;

  public ConformOptions {
    if (ranks < 1) {
      throw new InvalidInputException("--ranks is " + ranks + "; it takes 1 or more.");
    }
    if (tensor < 1) {
      throw new InvalidInputException("--tensor is " + tensor + "; it takes 1 or more.");
    }
    if (mixer == MixerKind.LATENT && (latent == null || latent.form() == null)) {
      throw new InvalidInputException("--mixer latent needs --form: mla, tpla or mlra.");
    }
    if (mixer != MixerKind.LATENT && (latent != null || tensor > 1)) {
      throw new InvalidInputException(
          "--tensor, --form, --norm and --groups are for --mixer latent only; leave them out.");
    }
    if (chunk < 1) {
      throw new InvalidInputException("--chunk is " + chunk + "; it takes 1 or more.");
    }
  }
}
