package org.longspan.parallelism.transport;

import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the compiler see AES-GCM before the first messages do. Interpreted it takes 20 to 40 ns a
 * byte, compiled about 1; the compiler counts calls, not bytes, so messages of a MiB in segments of
 * 32 KiB would be slow for the first few hundred MiB, which is most of a short run. Short messages
 * to nobody make as many calls in less than a second.
 *
 * <p>Threading: once for each JVM, on a thread of its own.
 */
final class CipherWarmUp {
  private static final Logger LOG = LoggerFactory.getLogger(CipherWarmUp.class);
  private static final int ROUNDS = 12_000;
  private static final int BYTES = 512;
  private static final int TAG_BYTES = 16;
  private static final int NONCE_BYTES = 12;
  private static final String CIPHER = "AES/GCM/NoPadding";

  private static Thread thread;

  private final ByteBuffer plain = ByteBuffer.allocate(BYTES);
  private final ByteBuffer sealed = ByteBuffer.allocate(BYTES + TAG_BYTES);
  private final ByteBuffer opened = ByteBuffer.allocate(BYTES + TAG_BYTES);
  private final SecretKeySpec key = new SecretKeySpec(new byte[TAG_BYTES], "AES");

  private CipherWarmUp() {}

  /** Starts it where it has not been; does not wait. */
  static synchronized void begin() {
    if (thread == null) {
      thread = new Thread(() -> new CipherWarmUp().run(), "longspan-cipher-warm-up");
      thread.setDaemon(true);
      thread.start();
    }
  }

  /** Waits until it is over, where it has begun; an interrupt ends the wait and stays set. */
  static void await() {
    Thread running = running();
    if (running == null) {
      return;
    }
    try {
      running.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static synchronized Thread running() {
    return thread;
  }

  private void run() {
    try {
      for (int round = 0; round < ROUNDS; round++) {
        // A nonce of its own each time: the cipher refuses one twice.
        byte[] nonce = ByteBuffer.allocate(NONCE_BYTES).putInt(round).array();
        GCMParameterSpec parameters = new GCMParameterSpec(TAG_BYTES * Byte.SIZE, nonce);
        Cipher sealing = Cipher.getInstance(CIPHER);
        sealing.init(Cipher.ENCRYPT_MODE, key, parameters);
        sealing.doFinal(plain.clear(), sealed.clear());
        Cipher opening = Cipher.getInstance(CIPHER);
        opening.init(Cipher.DECRYPT_MODE, key, parameters);
        opening.doFinal(sealed.flip(), opened.clear());
      }
    } catch (GeneralSecurityException e) {
      // Without it messages are slow at first, no more.
      LOG.warn("AES-GCM could not be tried out: {}", e.toString());
    }
  }
}
