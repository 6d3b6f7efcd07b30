/**
 * Checkpoints: safetensors files and a JSON manifest on any Hadoop file system, complete and
 * independent of the mesh.
 */
package org.longspan.executors.checkpoint;
