package org.longspan.executors.kernel;

/**
 * In which form linear attention with constant decays runs on an OpenCL device; results differ by
 * rounding only.
 */
enum LinearForm {
  /** Work-groups share tiles in local memory, work-items hold parts of them in registers. */
  TILES,

  /** A row a work-item. */
  ROWS
}
