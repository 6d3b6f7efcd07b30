package org.longspan.jobs.kubernetes;

/** Who sees to it that either all ranks of a run get a place or none does. */
public enum Gang {
  /** Nobody: ranks that came early wait for the others. */
  NONE,
  /** Apache YuniKorn, by task groups. */
  YUNIKORN,
  /** Volcano, by a group of the ranks' pods. */
  VOLCANO
}
