package org.longspan.executors.configuration;

import java.util.List;
import org.longspan.executors.kernel.KernelChoice;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentNorm;
import org.longspan.executors.latent.LatentReading;
import org.longspan.executors.memory.Precision;
import org.longspan.parallelism.collective.ScanChoice;

/** Every option of a training run. */
public final class Options {
  public static final Option<String> DATA_PATH =
      Option.text("data.path", "")
          .describedAs("The folder of the prepared dataset, on any Hadoop file system");

  public static final Option<Integer> DATA_BATCH =
      Option.integer("data.batch", 1)
          .atLeast(1)
          .describedAs(
              "Sequences in a batch, over the whole mesh, one pass each; a multiple of `mesh.data`."
                  + " A step sums the gradients of `data.batch` times `train.accumulate` sequences");

  public static final Option<Integer> MODEL_WIDTH =
      Option.integer("model.width", 256)
          .atLeast(1)
          .describedAs("Numbers that stand for a token; a multiple of `model.heads`");

  public static final Option<Integer> MODEL_LAYERS =
      Option.integer("model.layers", 4)
          .atLeast(1)
          .describedAs("Blocks of the model, each of a mixer and a feed-forward part");

  public static final Option<Integer> MODEL_HEADS =
      Option.integer("model.heads", 4).atLeast(1).describedAs("Heads of each mixer");

  public static final Option<Integer> MODEL_FEED_FORWARD =
      Option.integer("model.feed-forward", 0)
          .atLeast(0)
          .describedAs(
              "Hidden width of the feed-forward part; 0 takes 8/3 of `model.width`, rounded up to a"
                  + " multiple of 64");

  public static final Option<List<MixerKind>> MODEL_PATTERN =
      Option.list("model.pattern", MixerKind.class, List.of(MixerKind.LIGHTNING))
          .describedAs(
              "The blocks' mixers in order, repeated over the layers: `lightning` is linear"
                  + " attention with a constant decay, `simple-gla` with a gate for each head and"
                  + " token, `gla` with a gate for each key column, `gated-delta` the gated delta"
                  + " rule, `local` is attention over a sliding window, `latent` attention over all"
                  + " tokens before with keys and values in a latent");

  public static final Option<Integer> MODEL_WINDOW =
      Option.integer("model.window", 256)
          .atLeast(1)
          .describedAs("Tokens that a `local` mixer sees, the token itself among them");

  public static final Option<Integer> MODEL_LATENT_RANK =
      Option.integer("model.latent.rank", 0)
          .atLeast(0)
          .describedAs(
              "Columns of a `latent` mixer's latent of keys and values, a multiple of"
                  + " `model.latent.groups`; 0 takes four times `model.latent.nope`");

  public static final Option<Integer> MODEL_LATENT_QUERY_RANK =
      Option.integer("model.latent.query-rank", 0)
          .atLeast(0)
          .describedAs("Columns of a `latent` mixer's latent of queries; 0 leaves it out");

  public static final Option<Integer> MODEL_LATENT_NOPE =
      Option.integer("model.latent.nope", 0)
          .atLeast(0)
          .describedAs(
              "Columns without positions of a `latent` mixer's head; 0 takes `model.width` over"
                  + " `model.heads`");

  public static final Option<Integer> MODEL_LATENT_ROPE =
      Option.integer("model.latent.rope", 0)
          .atLeast(0)
          .describedAs(
              "Columns with rotary positions of a `latent` mixer's head, an even number, whose key all"
                  + " heads share; 0 takes half of `model.latent.nope`, rounded up to an even number");

  public static final Option<Integer> MODEL_LATENT_VALUE =
      Option.integer("model.latent.value", 0)
          .atLeast(0)
          .describedAs(
              "Columns of the values of a `latent` mixer's head; 0 takes `model.width` over"
                  + " `model.heads`");

  public static final Option<LatentForm> MODEL_LATENT_FORM =
      Option.choice("model.latent.form", LatentForm.MLA)
          .describedAs(
              "How a `latent` mixer attends: `mla` to the whole latent, tensor ranks sharing the heads;"
                  + " `tpla` and `mlra` with every head to each group of the latent's columns, tensor"
                  + " ranks sharing the groups, so that the cache of a rank is smaller when generating");

  public static final Option<Integer> MODEL_LATENT_GROUPS =
      Option.integer("model.latent.groups", 1)
          .atLeast(1)
          .describedAs(
              "Groups of a `latent` mixer's latent: of `tpla` and `mlra` a multiple of `mesh.tensor`;"
                  + " `mla` has one");

  public static final Option<LatentNorm> MODEL_LATENT_NORM =
      Option.choice("model.latent.norm", LatentNorm.EXACT)
          .describedAs(
              "The norm of a latent in groups with `tpla`: `exact` over all columns, for which tensor"
                  + " ranks exchange a number for each token, or `local`, estimated by each group; `mlra`"
                  + " has a norm of each group's own whatever this says");

  public static final Option<LatentReading> MODEL_LATENT_PROMPTS =
      Option.choice("model.latent.prompts", LatentReading.FORM)
          .describedAs(
              "How `generate` reads prompts with a model of form `tpla`: as its `form` says, or as"
                  + " `mla`, with one softmax over the whole latent, before it writes as `tpla`;"
                  + " `convert` sets `mla`");

  public static final Option<Integer> MODEL_CONVOLUTION =
      Option.integer("model.convolution", 0)
          .atLeast(0)
          .atMost(16)
          .describedAs(
              "Tokens of the causal convolution that each block begins with, the token itself among"
                  + " them; 0 leaves it out");

  public static final Option<Integer> MESH_DATA =
      Option.integer("mesh.data", 1)
          .atLeast(1)
          .describedAs("Groups of ranks that work on different sequences");

  public static final Option<Integer> MESH_SEQUENCE =
      Option.integer("mesh.sequence", 1)
          .atLeast(1)
          .describedAs("Ranks that one sequence is cut over");

  public static final Option<Integer> MESH_TENSOR =
      Option.integer("mesh.tensor", 1)
          .atLeast(1)
          .describedAs(
              "Ranks that share a slice, each with a share of the model: some of the heads, of which"
                  + " there are a multiple of it (of `latent` mixers of form `tpla` and `mlra` some of"
                  + " the latent's groups instead), of the feed-forward part's hidden columns and of"
                  + " the vocabulary. They send each other what every token becomes in every block,"
                  + " so they belong on one host");

  public static final Option<Integer> TRAIN_STEPS =
      Option.integer("train.steps", 100).atLeast(1).describedAs("Optimizer steps of the run");

  public static final Option<Double> TRAIN_LEARNING_RATE =
      Option.number("train.learning-rate", 3e-3)
          .above(0)
          .describedAs(
              "The highest learning rate, at the end of the warm-up; along a cosine it falls to a tenth"
                  + " of that");

  public static final Option<Integer> TRAIN_WARMUP =
      Option.integer("train.warmup", 10)
          .atLeast(0)
          .describedAs("Steps over which the learning rate rises from 0");

  public static final Option<Double> TRAIN_WEIGHT_DECAY =
      Option.number("train.weight-decay", 0.1)
          .atLeast(0)
          .describedAs("Decoupled weight decay of AdamW");

  public static final Option<Double> TRAIN_CLIP =
      Option.number("train.clip", 1.0)
          .atLeast(0)
          .describedAs(
              "The highest norm of a step's gradient, all parameters together; 0 for none");

  public static final Option<Integer> TRAIN_ACCUMULATE =
      Option.integer("train.accumulate", 1)
          .atLeast(1)
          .describedAs("Batches whose gradients make up one optimizer step");

  public static final Option<Integer> TRAIN_CHECKPOINT_EVERY =
      Option.integer("train.checkpoint-every", 50)
          .atLeast(0)
          .describedAs("Steps from one checkpoint to the next; 0 writes one at the end only");

  public static final Option<Integer> TRAIN_VALIDATE_EVERY =
      Option.integer("train.validate-every", 0)
          .atLeast(0)
          .describedAs("Steps from one validation to the next; 0 validates at the end only");

  public static final Option<Boolean> TRAIN_RECOMPUTE =
      Option.flag("train.recompute", false)
          .describedAs(
              "Layers keep their inputs only and compute the rest again in the backward: about a"
                  + " third more arithmetic for about half of the memory");

  public static final Option<ScanChoice> SCAN_KIND =
      Option.choice("scan.kind", ScanChoice.AUTO)
          .describedAs(
              "How the state of a linear mixer travels through the sequence's ranks: `chain`, `log`,"
                  + " or `auto`, the faster one for the latency, bandwidth and time of folding"
                  + " measured at the start; `lasp1` and `lasp2` are there for comparison, `replay` is what"
                  + " `deterministic` takes");

  public static final Option<Integer> SCAN_BLOCKS =
      Option.integer("scan.blocks", 0)
          .atLeast(0)
          .describedAs(
              "Blocks in which a chain passes a state on; 0 takes the number for which the chain is"
                  + " fastest");

  public static final Option<Boolean> EXCHANGE_CUT =
      Option.flag("exchange.cut", false)
          .describedAs(
              "For proofs that the exchange matters: no rank learns of the tokens before its slice;"
                  + " incoming states and the halos of windows and convolutions are zeros, while"
                  + " gradients of parameters are summed as ever. Not with `deterministic`");

  public static final Option<Integer> TRANSPORT_TIME_LIMIT =
      Option.integer("transport.time-limit", 120)
          .atLeast(1)
          .describedAs(
              "Seconds that a rank waits for a message of another; longer than the slowest rank"
                  + " computes between two of them. Where it is 30 or more it is also how long ranks"
                  + " wait for each other at the start, otherwise they wait for 30 seconds"
                  + " (`spark.barrier.sync.timeout`, unless Spark's settings say otherwise)");

  public static final Option<FaultChoice> FAULT_KIND =
      Option.choice("fault.kind", FaultChoice.NONE)
          .describedAs(
              "For tests of a cluster: what `fault.rank` does wrong from `fault.step` on, in the"
                  + " first attempt only");

  public static final Option<Integer> FAULT_RANK =
      Option.integer("fault.rank", 0).atLeast(0).describedAs("The rank that `fault.kind` strikes");

  public static final Option<Integer> FAULT_STEP =
      Option.integer("fault.step", 1)
          .atLeast(1)
          .describedAs("The step from which on `fault.kind` strikes");

  public static final Option<KernelChoice> KERNEL =
      Option.choice("kernel", KernelChoice.AUTO)
          .describedAs(
              "What computes the attention of `lightning`, `simple-gla`, `gla`, `gated-delta`,"
                  + " `local` and `latent`: `aparapi` on an OpenCL device, `aparapi-bf16` there with queries,"
                  + " keys, values and outputs kept in 16 bits, `cpu`, or `auto`: aparapi where there is an OpenCL GPU, otherwise the CPU");

  public static final Option<Boolean> DETERMINISTIC =
      Option.flag("deterministic", false)
          .describedAs(
              "The same losses and parameters to the last bit for any `mesh.sequence`, on machines of"
                  + " one kind; slower. Another `mesh.tensor` rounds otherwise");

  public static final Option<Precision> PRECISION =
      Option.choice("precision", Precision.FLOAT)
          .describedAs("Width of every number: `float` trains, `double` is for proofs");

  public static final Option<Long> SEED =
      Option.longInteger("seed", 1L)
          .describedAs("Draws the first weights and the order of the data");

  private static final List<Option<?>> ALL =
      List.of(
          DATA_PATH,
          DATA_BATCH,
          MODEL_WIDTH,
          MODEL_LAYERS,
          MODEL_HEADS,
          MODEL_FEED_FORWARD,
          MODEL_PATTERN,
          MODEL_WINDOW,
          MODEL_LATENT_RANK,
          MODEL_LATENT_QUERY_RANK,
          MODEL_LATENT_NOPE,
          MODEL_LATENT_ROPE,
          MODEL_LATENT_VALUE,
          MODEL_LATENT_FORM,
          MODEL_LATENT_GROUPS,
          MODEL_LATENT_NORM,
          MODEL_LATENT_PROMPTS,
          MODEL_CONVOLUTION,
          MESH_DATA,
          MESH_SEQUENCE,
          MESH_TENSOR,
          TRAIN_STEPS,
          TRAIN_LEARNING_RATE,
          TRAIN_WARMUP,
          TRAIN_WEIGHT_DECAY,
          TRAIN_CLIP,
          TRAIN_ACCUMULATE,
          TRAIN_CHECKPOINT_EVERY,
          TRAIN_VALIDATE_EVERY,
          TRAIN_RECOMPUTE,
          SCAN_KIND,
          SCAN_BLOCKS,
          EXCHANGE_CUT,
          TRANSPORT_TIME_LIMIT,
          FAULT_KIND,
          FAULT_RANK,
          FAULT_STEP,
          KERNEL,
          DETERMINISTIC,
          PRECISION,
          SEED);

  private Options() {}

  /** All of them, in the order of the reference. */
  public static List<Option<?>> all() {
    return ALL;
  }
}
