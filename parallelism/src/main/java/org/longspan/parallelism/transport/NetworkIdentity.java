package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Who a rank is: what every frame it sends says, and what every frame it takes must say. */
record NetworkIdentity(long job, int attempt, int rank, int size) {
  /** The first eight bytes of the SHA-256 of a job's identifier. */
  static long hash(String job) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(job.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(hash).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  /** Why a frame is not for this rank, or null where it is. */
  String objection(FrameHeader header) {
    if (header.job() != job) {
      return "Rank " + rank + " refuses a message of another job";
    }
    if (header.attempt() != attempt) {
      return "Rank "
          + rank
          + " of attempt "
          + attempt
          + " refuses a message of attempt "
          + header.attempt()
          + " from rank "
          + header.sender();
    }
    if (header.sender() < 0 || header.sender() >= size || header.sender() == rank) {
      return "Rank " + rank + " of " + size + " refuses a message from rank " + header.sender();
    }
    return null;
  }
}
