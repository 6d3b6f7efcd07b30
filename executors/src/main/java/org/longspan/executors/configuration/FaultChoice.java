package org.longspan.executors.configuration;

/** What a rank does wrong on purpose, so that one can see how a run takes it. */
public enum FaultChoice {
  /** Nothing. */
  NONE,
  /** Its process halts. */
  HALT,
  /** It closes its connections. */
  DIE,
  /** It sends nothing any more. */
  STALL,
  /** It sends so slowly that the time limit passes. */
  SLOW,
  /** It sends messages of another length. */
  WRONG_SHAPE,
  /** It sends messages of another collective. */
  WRONG_ORDER,
  /** It says that it is of another job. */
  WRONG_JOB,
  /** It says that it is of another attempt. */
  WRONG_ATTEMPT
}
