/**
 * Multi-head latent attention (MLA, arXiv 2405.04434) and its splits over the latent (TPLA, arXiv
 * 2508.15881, and MLRA, arXiv 2603.02188), over sequence ranks and tensor ranks.
 */
package org.longspan.executors.latent;
