/**
 * The parts of a decoder and their gradients, over one rank's slice: embedding, convolution,
 * mixers, feed-forward, head. A mixer is one class: its forward, its backward, and what it
 * exchanges with other ranks.
 */
package org.longspan.executors.layer;
