package org.longspan.executors.kernel;

/** In which form linear attention runs on an OpenCL device; results differ by rounding only. */
enum LinearForm {
  /** Work-groups share tiles in local memory, work-items hold parts of them in registers. */
  TILES,

  /** Sixteen columns of a head's state a work-item, which takes them through all tokens. */
  ROWS
}
