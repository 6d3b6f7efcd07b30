/** Where ranks stand, and which tokens of a sequence each of them holds. */
package org.longspan.parallelism.mesh;
