package org.longspan.executors.kernel;

/** How linear attention by some rule is computed in some form. */
interface LinearPlan {
  /** Tokens of a chunk at most. */
  int chunk();

  /** Columns of keys or values that a head has at most. */
  int widest();

  /** Which stages each call has. */
  LinearStages stages();

  LinearKernel kernel(LinearRoom room);

  /** Numbers of the kernel's largest scratch array. */
  long largestScratch(LinearRoom room);

  /** Numbers of all its scratch arrays, about. */
  long scratch(LinearRoom room);

  /** Floating-point operations of a launch, about. */
  double operations(LinearRoom room);
}
