package org.longspan.driver.plan;

import java.io.Serializable;

/**
 * What must be equal on every rank of a run, as a short text: a hash of the configuration. It is
 * worked out on each rank, from what really arrived there.
 */
@FunctionalInterface
public interface Fingerprint extends Serializable {
  String hash();
}
