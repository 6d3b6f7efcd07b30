package org.longspan.driver.launch;

import java.security.SecureRandom;
import java.util.HexFormat;

/** Makes secrets that nobody guesses. */
final class RandomSecret {
  private static final int BYTES = 32;

  private RandomSecret() {}

  /** A new one, of hexadecimal digits. */
  static String text() {
    byte[] bits = new byte[BYTES];
    new SecureRandom().nextBytes(bits);
    return HexFormat.of().formatHex(bits);
  }
}
