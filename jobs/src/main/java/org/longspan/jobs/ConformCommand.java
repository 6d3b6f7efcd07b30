package org.longspan.jobs;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.longspan.datapipeline.InvalidInputException;
import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.conform.Conform;
import org.longspan.executors.conform.ConformOptions;
import org.longspan.executors.conform.ConformOptions.LatentChoices;
import org.longspan.executors.conform.TransportKind;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Runs a mixer's core on tensors from outside. */
@Command(
    name = "conform",
    description = {
      "Run one mixer's core operation, forward and backward, on tensors of a safetensors file, so that anyone can check it"
          + " against another framework.",
      "",
      "Input: q, k [tokens, heads, dk], v [tokens, heads, dv], do (gradient of the output); optional initial_state"
          + " [heads, dk, dv] and documents (int64 start offsets, from 0); for lightning slopes [heads]; log gates g,"
          + " for gla [tokens, heads, dk], for simple-gla and gated-delta [tokens, heads]; for gated-delta beta [tokens,"
          + " heads]; for local the metadata window. Output: o, dq, dk, dv, where there are gates dg, where there is"
          + " beta dbeta, and but for local final_state, with an initial state also d_initial_state.",
      "",
      "lightning: S_t = exp(-slope) S_(t-1) + k_t v_t', o_t = S_t' q_t; S is zero where a document starts, but for the first"
          + " one the initial state. final_state is that of the last document.",
      "simple-gla, gla: S_t = diag(exp g_t) S_(t-1) + k_t v_t'.",
      "gated-delta: S_t = exp(g_t) (I - beta_t k_t k_t') S_(t-1) + beta_t k_t v_t'; keys come normalised.",
      "local: o_t = softmax(q_t K') V over the last window tokens of t's document, t included; nothing scales the"
          + " scores. window is a string in the file's metadata.",
      "",
      "latent: from the input to the output. Input: x, du [tokens, D]; optional documents; wdq [D, dcq] with gamma_q [dcq]"
          + " (both absent: cq^ = x); wuq [dcq, heads, dh], wqr [dcq, heads, dr], wdkv [D, dc], gamma [dc], wkr [D, dr],"
          + " wuk [dc, heads, dh], wuv [dc, heads, dv], wo [heads, dv, D]; for tpla mu [groups], and with --norm local"
          + " alpha [groups]; the metadata rope_theta and epsilon. Output: u, dx, and for each weight but alpha its"
          + " gradient, named with d in front.",
      "cq^ = RMSNorm(x wdq; gamma_q), c^ = RMSNorm(x wdkv; gamma), kR = RoPE(x wkr); head i: S = (cq^ wuq_i (c^ wuk_i)' +"
          + " RoPE(cq^ wqr_i) kR') / sqrt(dh + dr), o_i = softmax(S) c^ wuv_i; u = sum of o_i wo_i. Pairs (2i, 2i+1) turn"
          + " by position rope_theta^(-2i/dr). tpla: columns of the latent in groups s, each with a softmax of its own;"
          + " mu_s multiplies the scores of the content; outputs add up; the norm is over all columns (exact) or"
          + " alpha_s times the squares of the group's own (local). mlra: local with alpha = groups, mu = 1, outputs over"
          + " sqrt(groups)."
    },
    footerHeading = "%nExample:%n",
    footer = {
      "  longspan conform --mixer lightning --ranks 4 --precision double \\",
      "    --input case.safetensors --output result.safetensors"
    })
final class ConformCommand implements Callable<Integer> {
  @Option(
      names = "--mixer",
      converter = Choice.OfMixer.class,
      required = true,
      paramLabel = "NAME",
      description = "lightning, simple-gla, gla, gated-delta, local or latent.")
  private MixerKind mixer;

  @Option(
      names = "--ranks",
      required = true,
      paramLabel = "N",
      description = "Ranks that the tokens are cut over; threads of this process.")
  private int ranks;

  @Option(
      names = "--tensor",
      paramLabel = "N",
      defaultValue = "1",
      description =
          "For latent: ranks that share each slice of tokens, by heads (mla) or groups (default: ${DEFAULT-VALUE}).")
  private int tensor;

  @Option(
      names = "--form",
      converter = Choice.OfLatentForm.class,
      paramLabel = "NAME",
      description = "For latent: mla, tpla or mlra.")
  private LatentForm form;

  @Option(
      names = "--norm",
      converter = Choice.OfLatentNorm.class,
      paramLabel = "NAME",
      description =
          "For latent: exact or local; mlra takes local, tpla exact where nothing is said, mla either.")
  private LatentNorm norm;

  @Option(
      names = "--groups",
      paramLabel = "N",
      description =
          "For latent: groups of the latent; mla takes 1, tpla as many as mu has numbers, mlra has to be told.")
  private Integer groups;

  @Option(
      names = "--chunk",
      paramLabel = "N",
      defaultValue = "" + ConformOptions.CHUNK,
      description = "Tokens of a chunk (default: ${DEFAULT-VALUE}).")
  private int chunk;

  @Option(
      names = "--kernel",
      converter = Choice.OfKernel.class,
      paramLabel = "NAME",
      defaultValue = "cpu",
      description =
          "cpu, aparapi, aparapi-bf16 (numbers kept in 16 bits), or auto for aparapi where there is an OpenCL GPU (default: ${DEFAULT-VALUE}).")
  private KernelChoice kernel;

  @Option(
      names = "--precision",
      converter = Choice.OfPrecision.class,
      paramLabel = "NAME",
      defaultValue = "float",
      description = "float or double (default: ${DEFAULT-VALUE}).")
  private Precision precision;

  @Option(
      names = "--transport",
      converter = Choice.OfTransport.class,
      paramLabel = "NAME",
      defaultValue = "local",
      description =
          "How ranks talk: local, in this process, or network (default: ${DEFAULT-VALUE}).")
  private TransportKind transport;

  @Option(
      names = "--scan",
      converter = Choice.OfScan.class,
      paramLabel = "NAME",
      defaultValue = "chain",
      description =
          "How the state travels: chain, log, replay, lasp1, lasp2, or auto (default: ${DEFAULT-VALUE}).")
  private ScanChoice scan;

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "The tensors, safetensors; a local file.")
  private Path input;

  @Option(
      names = "--output",
      required = true,
      paramLabel = "FILE",
      description = "Where the results go, safetensors; a local file.")
  private Path output;

  @Override
  public Integer call() throws Exception {
    boolean replaces = Files.exists(output);
    Conform.run(
        new ConformOptions(
            mixer, ranks, chunk, kernel, precision, transport, scan, input, output, tensor,
            latent()));
    Terminal.standard()
        .line("results     %s%s", output, replaces ? ", in the place of a file of that name" : "");
    return 0;
  }

  private LatentChoices latent() {
    if (form == null && norm == null && groups == null) {
      return null;
    }
    if (groups != null && groups < 1) {
      throw new InvalidInputException("--groups is " + groups + "; it takes 1 or more.");
    }
    return new LatentChoices(form, norm, groups == null ? 0 : groups);
  }
}
