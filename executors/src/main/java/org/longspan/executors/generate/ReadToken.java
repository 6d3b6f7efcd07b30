package org.longspan.executors.generate;

import org.longspan.executors.latent.LatentReading;

/**
 * A token that a model reads.
 *
 * @param position in its text, from 0
 * @param reading how latent mixers read it
 */
record ReadToken(long position, LatentReading reading) {}
