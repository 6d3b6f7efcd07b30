package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.longspan.parallelism.mesh.Slice;

/**
 * Every collective with numbers that tell the ranks apart, what must come out, and what a rank must
 * receive for it. Everything is {@code double}, so that sums are exact.
 */
enum CollectiveCase {
  ALL_REDUCE {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      ByteBuffer own = Numbers.buffer(TYPE, whole(length, group.index()));
      mode.finish(() -> group.allReduce(own, TYPE), () -> group.startAllReduce(own, TYPE));
      return Numbers.values(TYPE, own);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return sum(ranks, length);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return 2L * length - part(ranks, before(ranks, rank), length) - part(ranks, rank, length);
    }
  },
  REDUCE_SCATTER {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      ByteBuffer own = Numbers.buffer(TYPE, whole(length, group.index()));
      mode.finish(() -> group.reduceScatter(own, TYPE), () -> group.startReduceScatter(own, TYPE));
      return Numbers.values(TYPE, group.part(own, TYPE));
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      int start = (int) ((long) length * rank / ranks);
      return Arrays.copyOfRange(sum(ranks, length), start, start + part(ranks, rank, length));
    }

    @Override
    long received(int ranks, int rank, int length) {
      return (long) length - part(ranks, before(ranks, rank), length);
    }
  },
  ALL_GATHER {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      ByteBuffer own = Numbers.buffer(TYPE, whole(length, group.index()));
      ByteBuffer all = Numbers.buffer(TYPE, unknown(length * group.size()));
      mode.finish(() -> group.allGather(own, all), () -> group.startAllGather(own, all));
      return Numbers.values(TYPE, all);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return concatenated(ranks, each -> whole(length, each));
    }

    @Override
    long received(int ranks, int rank, int length) {
      return (ranks - 1L) * length;
    }
  },
  ALL_GATHER_OF_RAGGED_PARTS {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      List<ByteBuffer> parts = new ArrayList<>();
      for (int rank = 0; rank < group.size(); rank++) {
        int elements = ragged(rank, 0, length);
        parts.add(
            Numbers.buffer(
                TYPE, rank == group.index() ? whole(elements, rank) : unknown(elements)));
      }
      mode.finish(() -> group.allGather(parts), () -> group.startAllGather(parts));
      return concatenated(group.size(), rank -> Numbers.values(TYPE, parts.get(rank)));
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return concatenated(ranks, each -> whole(ragged(each, 0, length), each));
    }

    @Override
    long received(int ranks, int rank, int length) {
      return others(ranks, rank).mapToLong(other -> ragged(other, 0, length)).sum();
    }
  },
  ALL_TO_ALL_OF_RAGGED_PARTS {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      List<ByteBuffer> given = new ArrayList<>();
      List<ByteBuffer> taken = new ArrayList<>();
      for (int rank = 0; rank < group.size(); rank++) {
        int out = ragged(group.index(), rank, length);
        given.add(Numbers.buffer(TYPE, whole(out, group.index() * 100 + rank)));
        taken.add(Numbers.buffer(TYPE, unknown(ragged(rank, group.index(), length))));
      }
      mode.finish(() -> group.allToAll(given, taken), () -> group.startAllToAll(given, taken));
      return concatenated(group.size(), rank -> Numbers.values(TYPE, taken.get(rank)));
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return concatenated(ranks, from -> whole(ragged(from, rank, length), from * 100 + rank));
    }

    @Override
    long received(int ranks, int rank, int length) {
      return others(ranks, rank).mapToLong(other -> ragged(other, rank, length)).sum();
    }
  },
  ALL_TO_ALL_ALIKE {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      List<ByteBuffer> given = new ArrayList<>();
      List<ByteBuffer> taken = new ArrayList<>();
      for (int rank = 0; rank < group.size(); rank++) {
        given.add(Numbers.buffer(TYPE, whole(length, group.index() * 100 + rank)));
        taken.add(Numbers.buffer(TYPE, unknown(length)));
      }
      mode.finish(() -> group.allToAll(given, taken), () -> group.startAllToAll(given, taken));
      return concatenated(group.size(), rank -> Numbers.values(TYPE, taken.get(rank)));
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return concatenated(ranks, from -> whole(length, from * 100 + rank));
    }

    @Override
    long received(int ranks, int rank, int length) {
      return (ranks - 1L) * length;
    }
  },
  BROADCAST {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      int root = group.size() / 2;
      ByteBuffer bytes =
          Numbers.buffer(TYPE, group.index() == root ? whole(length, root) : unknown(length));
      mode.finish(() -> group.broadcast(bytes, root), () -> group.startBroadcast(bytes, root));
      return Numbers.values(TYPE, bytes);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return whole(length, ranks / 2);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return rank == ranks / 2 ? 0 : length;
    }
  },
  BARRIER {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      mode.finish(group::barrier, group::startBarrier);
      return new double[0];
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return new double[0];
    }

    @Override
    long received(int ranks, int rank, int length) {
      return 0;
    }
  },
  SEND_ALONG_A_LINE {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      int index = group.index();
      ByteBuffer into = Numbers.buffer(TYPE, unknown(index > 0 ? length : 0));
      if (index > 0) {
        mode.finish(
            () -> group.receive(index - 1, into), () -> group.startReceive(index - 1, into));
      }
      if (index < group.size() - 1) {
        ByteBuffer own = Numbers.buffer(TYPE, whole(length, index));
        mode.finish(() -> group.send(index + 1, own), () -> group.startSend(index + 1, own));
      }
      return Numbers.values(TYPE, into);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return rank == 0 ? new double[0] : whole(length, rank - 1);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return rank == 0 ? 0 : length;
    }
  },
  SEND_ROUND_THE_RING {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      int ranks = group.size();
      int index = group.index();
      ByteBuffer own = Numbers.buffer(TYPE, whole(ragged(index, 0, length), index));
      if (ranks == 1) {
        return Numbers.values(TYPE, own);
      }
      int to = (index + 1) % ranks;
      int from = before(ranks, index);
      ByteBuffer into = Numbers.buffer(TYPE, unknown(ragged(from, 0, length)));
      mode.finish(
          () -> group.sendAndReceive(to, own, from, into),
          () -> group.startSendAndReceive(to, own, from, into));
      return Numbers.values(TYPE, into);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      int from = before(ranks, rank);
      return whole(ragged(from, 0, length), from);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return ranks == 1 ? 0 : ragged(before(ranks, rank), 0, length);
    }
  },
  HALO {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      HaloExchange exchange = new HaloExchange(group, slices(group.size(), length), length);
      int tailLength = exchange.tailLength();
      ByteBuffer tail = Numbers.buffer(TYPE, whole(tailLength, group.index()));
      ByteBuffer halo = Numbers.buffer(TYPE, unknown(exchange.length()));
      mode.finish(
          () -> exchange.fetch(tail, TYPE.bytes(), halo),
          () -> exchange.startFetch(tail, TYPE.bytes(), halo));
      return Numbers.values(TYPE, halo);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return rank == 0 ? new double[0] : whole(length, rank - 1);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return rank == 0 ? 0 : length;
    }
  },
  HALO_GRADIENT {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      List<Slice> slices = slices(group.size(), length);
      HaloGradients exchange = new HaloGradients(group, slices, length, Math.max(1, length));
      ByteBuffer halo = Numbers.buffer(TYPE, whole(length, group.index()));
      ByteBuffer tail = Numbers.buffer(TYPE, whole(length, 50));
      boolean seesNothing = group.index() == 0 || length == 0;
      List<ByteBuffer> outer = seesNothing ? List.of() : List.of(halo);
      mode.finish(
          () -> exchange.giveBack(outer, TYPE, TYPE.bytes(), tail),
          () -> exchange.startGiveBack(outer, TYPE, TYPE.bytes(), tail));
      return Numbers.values(TYPE, tail);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      double[] tail = whole(length, 50);
      double[] fromRight = rank == ranks - 1 ? new double[length] : whole(length, rank + 1);
      return IntStream.range(0, length).mapToDouble(i -> tail[i] + fromRight[i]).toArray();
    }

    @Override
    long received(int ranks, int rank, int length) {
      return rank == ranks - 1 ? 0 : length;
    }
  },
  /** A state of one row with a transition of one, so that it is the sum of those before. */
  SCAN {
    @Override
    double[] call(Communicator group, int length, Mode mode) {
      StateShape shape = new StateShape(TYPE, 1, 1, length);
      StateScan scan =
          Scans.of(ScanChoice.CHAIN, group, shape, TransitionKind.DIAGONAL, 1, ScanCosts.USUAL);
      ByteBuffer own = Numbers.buffer(TYPE, whole(length, group.index()));
      ByteBuffer incoming = Numbers.buffer(TYPE, new double[length]);
      ByteBuffer one = Numbers.buffer(TYPE, new double[] {1});
      List<ScanPiece> pieces = List.of(new ScanPiece(own, Transition.diagonal(one), incoming));
      mode.finish(
          () -> scan.scan(ScanDirection.FORWARD, pieces),
          () -> scan.start(ScanDirection.FORWARD, pieces));
      return Numbers.values(TYPE, incoming);
    }

    @Override
    double[] expected(int ranks, int rank, int length) {
      return sum(rank, length);
    }

    @Override
    long received(int ranks, int rank, int length) {
      return rank == 0 ? 0 : length;
    }
  };

  static final ElementType TYPE = ElementType.DOUBLE;

  /** Blocking, or started and then awaited. */
  enum Mode {
    BLOCKING {
      @Override
      void finish(Runnable blocking, Start start) {
        blocking.run();
      }
    },
    STARTED {
      @Override
      void finish(Runnable blocking, Start start) {
        start.start().await();
      }
    };

    abstract void finish(Runnable blocking, Start start);
  }

  /** Starts a collective. */
  interface Start {
    Pending start();
  }

  /** Calls the collective; what this rank then holds. */
  abstract double[] call(Communicator group, int length, Mode mode);

  abstract double[] expected(int ranks, int rank, int length);

  /** The elements that a rank receives. */
  abstract long received(int ranks, int rank, int length);

  /** Whole numbers, so that their sums are exact; 0 without a sign, which a sum would change. */
  private static double[] whole(int length, int seed) {
    return Arrays.stream(Numbers.random(length, seed))
        .map(x -> Math.rint(x * 1000) + 0.0)
        .toArray();
  }

  private static double[] unknown(int length) {
    double[] unknown = new double[length];
    Arrays.fill(unknown, Double.NaN);
    return unknown;
  }

  private static double[] sum(int ranks, int length) {
    double[] sum = new double[length];
    for (int rank = 0; rank < ranks; rank++) {
      double[] own = whole(length, rank);
      Arrays.setAll(sum, i -> sum[i] + own[i]);
    }
    return sum;
  }

  /** Sizes that differ, some of them 0. */
  private static int ragged(int from, int to, int length) {
    return (from + 2 * to) % 3 * length / 2;
  }

  private static int part(int ranks, int rank, int length) {
    return (int) ((long) length * (rank + 1) / ranks - (long) length * rank / ranks);
  }

  private static int before(int ranks, int rank) {
    return (rank + ranks - 1) % ranks;
  }

  private static IntStream others(int ranks, int rank) {
    return IntStream.range(0, ranks).filter(other -> other != rank);
  }

  private static List<Slice> slices(int ranks, long length) {
    return LongStream.range(0, ranks)
        .mapToObj(rank -> new Slice(rank * length, (rank + 1) * length))
        .toList();
  }

  /** Numbers of one rank. */
  private interface OfRank {
    double[] numbers(int rank);
  }

  private static double[] concatenated(int ranks, OfRank each) {
    return IntStream.range(0, ranks)
        .mapToObj(each::numbers)
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }
}
