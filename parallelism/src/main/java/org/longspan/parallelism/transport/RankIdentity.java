package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** Who a rank is: what every message it sends says, and what every message it takes must say. */
record RankIdentity(long job, int attempt, int rank, int size) {
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

  RankIdentity ofAnotherJob() {
    return new RankIdentity(job + 1, attempt, rank, size);
  }

  RankIdentity ofAnotherAttempt() {
    return new RankIdentity(job, attempt + 1, rank, size);
  }

  /** Why a message that says this is not for this rank, or null where it is. */
  String objection(long messageJob, int messageAttempt, int sender) {
    if (messageJob != job) {
      return "Rank " + rank + " refuses a message of another job";
    }
    if (messageAttempt != attempt) {
      return "Rank "
          + rank
          + " of attempt "
          + attempt
          + " refuses a message of attempt "
          + messageAttempt
          + " from rank "
          + sender;
    }
    if (!hasPeer(sender)) {
      return "Rank " + rank + " of " + size + " refuses a message from rank " + sender;
    }
    return null;
  }

  boolean hasPeer(int other) {
    return other >= 0 && other < size && other != rank;
  }
}
