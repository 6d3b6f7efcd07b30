package org.longspan.executors.layer;

import org.longspan.executors.configuration.MixerKind;
import org.longspan.executors.latent.LatentShape;

/**
 * The sizes of one decoder block.
 *
 * @param feedForward width of the feed-forward's hidden rows
 * @param window tokens that a {@code local} mixer sees, itself included
 * @param convolution taps of the convolution before the mixer; 0 for none
 * @param layer which block it is, from 0
 * @param layers how many there are
 * @param latent of a {@code latent} mixer; null where the model has none
 */
public record BlockShape(
    MixerKind mixer,
    int width,
    int heads,
    int feedForward,
    int window,
    int convolution,
    int layer,
    int layers,
    LatentShape latent) {}
