package org.longspan.parallelism.transport;

/**
 * How connections between ranks are protected. Every connection is authenticated with the job's
 * secret, whatever is chosen here.
 */
public enum Protection {
  /**
   * Spark's SASL handshake (DIGEST-MD5); payloads then travel in the clear, and who can change
   * packets on their way can change them. For trusted networks.
   */
  AUTHENTICATED,
  /**
   * Spark's own handshake with fresh keys for each connection; all bytes are encrypted and
   * authenticated with AES-GCM. Costs about two thirds of the throughput.
   */
  ENCRYPTED
}
