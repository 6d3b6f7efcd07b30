package org.longspan.executors.train;

import org.longspan.executors.configuration.FaultChoice;
import org.longspan.executors.configuration.Options;
import org.longspan.executors.configuration.RunConfiguration;
import org.longspan.parallelism.transport.FaultyTransport;
import org.longspan.parallelism.transport.FaultyTransport.Fault;
import org.longspan.parallelism.transport.Transport;

/**
 * Lets a rank do wrong on purpose, as {@code fault.kind} says, from a step on; in a run's first
 * attempt only, so that the next one shows whether the run recovers.
 */
final class InjectedFault {
  private static final int KILLED = 137;

  private final FaultChoice kind;
  private final int step;
  private final FaultyTransport faulty;
  private final Transport transport;

  private InjectedFault(FaultChoice kind, int step, FaultyTransport faulty, Transport transport) {
    this.kind = kind;
    this.step = step;
    this.faulty = faulty;
    this.transport = transport;
  }

  /** The fault of this rank: none on most. */
  static InjectedFault of(RunConfiguration configuration, RankContext context) {
    boolean strikes =
        context.attempt() == 0
            && context.transport().rank() == configuration.get(Options.FAULT_RANK);
    FaultChoice kind = strikes ? configuration.get(Options.FAULT_KIND) : FaultChoice.NONE;
    int step = configuration.get(Options.FAULT_STEP);
    return switch (kind) {
      case NONE, HALT -> new InjectedFault(kind, step, null, context.transport());
      case DIE -> faulty(kind, step, Fault.DIE, context);
      case STALL -> faulty(kind, step, Fault.STALL, context);
      case SLOW -> faulty(kind, step, Fault.SLOW, context);
      case WRONG_SHAPE -> faulty(kind, step, Fault.WRONG_SHAPE, context);
      case WRONG_ORDER -> faulty(kind, step, Fault.WRONG_ORDER, context);
      case WRONG_JOB -> faulty(kind, step, Fault.WRONG_JOB, context);
      case WRONG_ATTEMPT -> faulty(kind, step, Fault.WRONG_ATTEMPT, context);
    };
  }

  private static InjectedFault faulty(
      FaultChoice kind, int step, Fault fault, RankContext context) {
    FaultyTransport faulty = FaultyTransport.over(context.transport(), fault);
    return new InjectedFault(kind, step, faulty, faulty);
  }

  /** What the rank is to send and receive with. */
  Transport transport() {
    return transport;
  }

  /** Step {@code number} begins. */
  void begin(int number) {
    if (number < step || kind == FaultChoice.NONE) {
      return;
    }
    if (kind == FaultChoice.HALT) {
      Runtime.getRuntime().halt(KILLED);
    } else {
      faulty.arm();
    }
  }
}
