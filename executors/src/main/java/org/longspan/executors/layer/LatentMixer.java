package org.longspan.executors.layer;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.longspan.executors.latent.LatentAttention;
import org.longspan.executors.latent.LatentForm;
import org.longspan.executors.latent.LatentMemory;
import org.longspan.executors.latent.LatentNames;
import org.longspan.executors.latent.LatentPlace;
import org.longspan.executors.latent.LatentShape;
import org.longspan.executors.latent.LatentWeights;
import org.longspan.executors.latent.OrderedTiles;
import org.longspan.executors.layer.ParameterShape.GradientPart;
import org.longspan.executors.layer.ParameterShape.Kind;
import org.longspan.executors.memory.Matrix;

/**
 * Softmax attention over all tokens before, through a latent; see {@link LatentAttention} for its
 * formulas and traffic. Tensor ranks share its heads (MLA) or the groups of its latent (TPLA,
 * MLRA); what a rank joins is its part of a sum, what it projects back is whole. Where layers
 * compute things again, attention's outputs and norms are kept, and nothing is sent again.
 *
 * <p>Where results must not depend on the number of sequence ranks, each rank takes its own
 * queries, block by block, to the latents of the whole sequence, which are gathered, and what each
 * tile gives to all of them is summed in one order: more memory and traffic, and no shared work.
 */
final class LatentMixer implements Mixer {
  private static final String QUERY_DOWN = "mixer.query-down";
  private static final String QUERY_NORM = "mixer.query-norm";
  private static final String QUERY_UP = "mixer.query-up";
  private static final String QUERY_ROPE = "mixer.query-rope";
  private static final String LATENT_DOWN = "mixer.latent-down";
  private static final String LATENT_NORM = "mixer.latent-norm";
  private static final String KEY_ROPE = "mixer.key-rope";
  private static final String KEY_UP = "mixer.key-up";
  private static final String VALUE_UP = "mixer.value-up";
  private static final String OUTPUT = "mixer.output";
  private static final String CONTENT_SCALE = "mixer.content-scale";
  private static final String NORM_ESTIMATES = "mixer.norm-estimates";

  private final RankEnvironment environment;
  private final LatentShape shape;
  private final Set<String> ofJoin;
  private final Set<String> ofAttention;
  private final Set<String> ofProjection;
  private final LatentAttention attention;

  /** Whose gradients attention over the slice adds to. */
  private Parameters attended;

  LatentMixer(RankEnvironment environment, LatentShape shape) {
    this.environment = environment;
    this.shape = shape;
    this.ofJoin = names(Set.of(OUTPUT));
    this.ofAttention = names(Set.of(KEY_UP, VALUE_UP, CONTENT_SCALE));
    this.ofProjection =
        names(
            Set.of(
                QUERY_DOWN,
                QUERY_NORM,
                QUERY_UP,
                QUERY_ROPE,
                LATENT_DOWN,
                LATENT_NORM,
                KEY_ROPE,
                NORM_ESTIMATES));
    this.attention =
        new LatentAttention(
            shape,
            new LatentPlace(
                environment.sequence(),
                environment.tensor(),
                environment.numerics(),
                environment.workers(),
                new Memory(environment),
                environment.capacity(),
                environment.tile(),
                rows -> environment.sumOverTensorRanks(rows).await(),
                switch (environment.mode().reproducibility()) {
                  case FAST -> null;
                  case BITWISE -> new Tiles();
                },
                environment.mode().kernel()));
  }

  /** The blocks of the grid, with the gradients of this mixer's weights. */
  private final class Tiles implements OrderedTiles {
    private TileFold fold;

    @Override
    public void start(long rows, int columns) {
      fold =
          new TileFold(
              environment, "latents", environment.shared("latents of a tile", rows, columns));
      fold.start();
    }

    @Override
    public Matrix tile() {
      return fold.leaf();
    }

    @Override
    public void end(int number) {
      fold.endLeaf(environment.input().firstPosition() / environment.tile() + number);
      attended.endTile(0, number * environment.tile());
    }

    @Override
    public void finish(Matrix total) {
      environment.blockFold().sum(fold.nodes(), environment.elementType(), total.bytes());
    }
  }

  private record Memory(RankEnvironment environment) implements LatentMemory {
    @Override
    public Matrix kept(String name, long rows, int columns) {
      return environment.kept(name, rows, columns);
    }

    @Override
    public Matrix always(long rows, int columns) {
      return environment.arena().matrix(rows, columns);
    }

    @Override
    public Matrix shared(String name, long rows, int columns) {
      return environment.shared(name, rows, columns);
    }
  }

  /** The parameters of a mixer of this kind, as a rank at {@code place} holds them. */
  static List<ParameterShape> parameters(LatentShape shape, TensorPlace place) {
    boolean isByHeads = shape.form() == LatentForm.MLA;
    Span heads = isByHeads ? place.share(shape.heads()) : new Span(0, shape.heads());
    Span groups = isByHeads ? new Span(0, 1) : place.share(shape.groups());
    Side latent = Side.some(shape.rank(), groups.times(shape.groupColumns()));
    Side plain = Side.some(shape.heads() * shape.nope(), heads.times(shape.nope()));
    Side rotary = Side.some(shape.heads() * shape.rope(), heads.times(shape.rope()));
    Side values = Side.some(shape.heads() * shape.value(), heads.times(shape.value()));
    Side width = Side.all(shape.width());
    Side input = Side.all(shape.queryInput());
    Side ofGroups = Side.some(shape.groups(), groups);
    // Where groups are shared out, each rank comes to a part of what all heads or columns give.
    GradientPart part = isByHeads ? GradientPart.WHOLE : GradientPart.PARTIAL;
    List<ParameterShape> all = new ArrayList<>();
    if (shape.queryRank() > 0) {
      all.add(new ParameterShape(QUERY_DOWN, width, input, Kind.WEIGHT));
      all.add(new ParameterShape(QUERY_NORM, Side.all(1), input, Kind.GAIN));
    }
    all.add(new ParameterShape(QUERY_UP, input, plain, Kind.WEIGHT, part));
    all.add(new ParameterShape(QUERY_ROPE, input, rotary, Kind.WEIGHT, part));
    all.add(new ParameterShape(LATENT_DOWN, width, Side.all(shape.rank()), Kind.WEIGHT, part));
    all.add(new ParameterShape(LATENT_NORM, Side.all(1), latent, Kind.GAIN));
    all.add(new ParameterShape(KEY_ROPE, width, Side.all(shape.rope()), Kind.WEIGHT));
    all.add(new ParameterShape(KEY_UP, latent, plain, Kind.WEIGHT));
    all.add(new ParameterShape(VALUE_UP, latent, values, Kind.WEIGHT));
    all.add(new ParameterShape(OUTPUT, values, width, Kind.WEIGHT, part));
    if (shape.form() == LatentForm.TPLA) {
      all.add(new ParameterShape(CONTENT_SCALE, Side.all(1), ofGroups, Kind.GAIN));
    }
    if (shape.estimatesNorms()) {
      all.add(new ParameterShape(NORM_ESTIMATES, Side.all(1), ofGroups, Kind.SHARE_ESTIMATE));
    }
    return all;
  }

  private static LatentWeights weights(Parameters parameters) {
    return weights(parameters::value);
  }

  /** Some of the gradients: of a stage that ends a tile for what it asked for. */
  private static LatentWeights gradients(int worker, Parameters parameters, Set<String> names) {
    return weights(name -> names.contains(name) ? parameters.gradient(worker, name) : null);
  }

  private Set<String> names(Set<String> wanted) {
    return parameters(shape, TensorPlace.ALONE).stream()
        .map(ParameterShape::name)
        .filter(wanted::contains)
        .collect(Collectors.toUnmodifiableSet());
  }

  /** Those that a shape does not have are null. */
  static LatentWeights weights(Function<String, Matrix> named) {
    return new LatentWeights(
        named.apply(QUERY_DOWN),
        named.apply(QUERY_NORM),
        named.apply(QUERY_UP),
        named.apply(QUERY_ROPE),
        named.apply(LATENT_DOWN),
        named.apply(LATENT_NORM),
        named.apply(KEY_ROPE),
        named.apply(KEY_UP),
        named.apply(VALUE_UP),
        named.apply(OUTPUT),
        named.apply(CONTENT_SCALE),
        named.apply(NORM_ESTIMATES));
  }

  @Override
  public void begin() {
    attention.accept(environment.latentPlan());
  }

  @Override
  public void project(int worker, int first, Matrix normalized, Parameters parameters) {
    if (environment.latentWatch() != null) {
      environment.latentWatch().project(this, shape, normalized, weights(parameters));
    }
    attention.project(first, normalized, weights(parameters));
  }

  @Override
  public void attend(Parameters parameters) {
    attention.attend(weights(parameters));
  }

  @Override
  public void attendAgain(Parameters parameters) {
    attention.attendAgain(weights(parameters));
  }

  @Override
  public void join(int worker, int first, Matrix stream, Parameters parameters) {
    attention.join(first, stream, weights(parameters));
  }

  @Override
  public void joinGradient(int worker, int first, Matrix streamGradient, Parameters parameters) {
    attention.joinGradient(
        first, streamGradient, weights(parameters), gradients(worker, parameters, ofJoin));
  }

  @Override
  public void attendGradient(Parameters parameters) {
    attended = parameters;
    attention.attendGradient(weights(parameters), () -> gradients(0, parameters, ofAttention));
  }

  @Override
  public void projectGradient(
      int worker, int first, Matrix normalized, Matrix normalizedGradient, Parameters parameters) {
    attention.projectGradient(
        first,
        normalized,
        normalizedGradient,
        weights(parameters),
        gradients(worker, parameters, ofProjection));
  }

  @Override
  public boolean givesWholeGradients() {
    return true;
  }

  @Override
  public String description() {
    return attention.description() + ", " + LatentNames.of(shape.form());
  }

  @Override
  public void close() {
    attention.close();
  }
}
