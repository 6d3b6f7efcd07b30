package org.longspan.parallelism.collective;

import java.nio.ByteBuffer;

/**
 * What a piece of a sequence does to the state that comes to it: {@code S_after = Γ·S_before + Ŝ}.
 * States are {@code [heads · keyWidth, valueWidth]}, row-major, in native byte order.
 *
 * @param summary {@code Ŝ}: the piece's state from zero, backward the gradient that the piece adds;
 *     not changed
 * @param transition {@code Γ}; not changed
 * @param incoming receives the state before the piece in the scan's direction: forward {@code
 *     S_{p−1}}, backward {@code dS_p}. In the very first piece of the direction it is not changed
 *     and holds the state before everything: zeros, or the initial state
 */
public record ScanPiece(ByteBuffer summary, Transition transition, ByteBuffer incoming) {}
