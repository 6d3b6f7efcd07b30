/** Turns a trained model with multi-head latent attention into one with its latent in groups. */
package org.longspan.executors.convert;
