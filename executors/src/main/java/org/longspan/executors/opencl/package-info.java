/**
 * Kernels on OpenCL devices, through Aparapi: the devices, and launches that either ran on the
 * device or fail with the reason.
 */
package org.longspan.executors.opencl;
