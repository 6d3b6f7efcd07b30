package org.longspan.executors.checkpoint;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.longspan.executors.layer.ParameterShape;
import org.longspan.executors.layer.Span;
import org.longspan.executors.layer.TensorPlace;
import org.longspan.executors.memory.Arena;
import org.longspan.executors.memory.Matrix;
import org.longspan.executors.model.LanguageModel;
import org.longspan.parallelism.collective.Communicator;

/**
 * A model's parameters and moments as whole tensors, of which each tensor rank holds a share: the
 * first one brings them together, a tensor at a time, so that besides its share of the model it
 * holds one of them, and another rank's share of it.
 *
 * <p>Threading: the rank's own thread. Where the first tensor rank writes what {@link #parameters}
 * and {@link #moments} give, in this order, the others {@link #give} theirs.
 */
final class WholeTensors implements AutoCloseable {
  private static final long NUMBERS_AT_ONCE = 1L << 23;

  private final LanguageModel model;
  private final Communicator tensor;
  private final Arena arena;

  /** Of each tensor rank, in order. */
  private final List<Map<String, ParameterShape>> shapes;

  private Matrix wholeRoom;
  private Matrix shareRoom;

  WholeTensors(LanguageModel model) {
    this.model = model;
    this.tensor = model.tensor();
    this.arena = new Arena("of a checkpoint", model.precision());
    this.shapes =
        IntStream.range(0, tensor.size())
            .mapToObj(rank -> model.shapes(new TensorPlace(rank, tensor.size())))
            .toList();
  }

  List<NamedTensor> parameters() {
    return tensors(model.parameters(), "");
  }

  List<NamedTensor> moments() {
    List<NamedTensor> all = new ArrayList<>();
    OptimizerMoments.of(model).forEach((suffix, values) -> all.addAll(tensors(values, suffix)));
    return all;
  }

  private List<NamedTensor> tensors(Map<String, Matrix> own, String suffix) {
    List<NamedTensor> tensors = new ArrayList<>();
    own.forEach(
        (name, values) -> {
          ParameterShape shape = shapes.get(0).get(name);
          List<ParameterShape> ofRanks = shapes.stream().map(one -> one.get(name)).toList();
          tensors.add(
              shape.split()
                  ? new NamedTensor(
                      name + suffix,
                      List.of((long) shape.rowSide().whole(), (long) shape.columnSide().whole()),
                      values.precision(),
                      () -> collected(ofRanks, values))
                  : NamedTensor.of(name + suffix, values));
        });
    return tensors;
  }

  private Matrix collected(List<ParameterShape> ofRanks, Matrix own) {
    makeRoom();
    int rows = ofRanks.get(0).rowSide().whole();
    int columns = ofRanks.get(0).columnSide().whole();
    Matrix whole = wholeRoom.rows(0, (long) rows * columns).reshape(rows, columns);
    place(ofRanks.get(0), own, whole);
    for (int rank = 1; rank < tensor.size(); rank++) {
      int from = rank;
      ParameterShape shape = ofRanks.get(rank);
      Matrix theirs = shareRoom.rows(0, shape.size()).reshape(shape.rows(), shape.columns());
      eachPiece(theirs, piece -> tensor.receive(from, piece));
      place(shape, theirs, whole);
    }
    return whole;
  }

  private void makeRoom() {
    if (wholeRoom != null) {
      return;
    }
    long largestWhole = 0;
    long largestShare = 0;
    for (Map<String, ParameterShape> ofRank : shapes) {
      for (ParameterShape shape : ofRank.values()) {
        if (shape.split()) {
          long whole = (long) shape.rowSide().whole() * shape.columnSide().whole();
          largestWhole = Math.max(largestWhole, whole);
          largestShare = Math.max(largestShare, shape.size());
        }
      }
    }
    wholeRoom = arena.matrix(largestWhole, 1);
    shareRoom = arena.matrix(largestShare, 1);
  }

  /** Puts a share where it belongs. */
  private static void place(ParameterShape shape, Matrix share, Matrix whole) {
    long row = 0;
    for (Span rows : shape.rowSide().held()) {
      int column = 0;
      for (Span columns : shape.columnSide().held()) {
        whole
            .rows(rows.from(), rows.to())
            .columns(columns.from(), columns.to())
            .set(share.rows(row, row + rows.length()).columns(column, column + columns.length()));
        column += columns.length();
      }
      row += rows.length();
    }
  }

  /** Gives this rank's shares to the first tensor rank, while that one writes. */
  void give() {
    give(model.parameters());
    OptimizerMoments.of(model).values().forEach(this::give);
  }

  private void give(Map<String, Matrix> own) {
    own.forEach(
        (name, values) -> {
          if (shapes.get(tensor.index()).get(name).split()) {
            eachPiece(values, piece -> tensor.send(0, piece));
          }
        });
  }

  /** Buffers end somewhere, and a tensor need not. */
  private static void eachPiece(Matrix values, Consumer<ByteBuffer> work) {
    Matrix column = values.reshape(values.size(), 1);
    for (long from = 0; from < column.rows(); from += NUMBERS_AT_ONCE) {
      work.accept(column.bytes(from, Math.min(NUMBERS_AT_ONCE, column.rows() - from)));
    }
  }

  @Override
  public void close() {
    arena.close();
  }
}
