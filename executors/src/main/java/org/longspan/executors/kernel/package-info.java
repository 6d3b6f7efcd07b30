/**
 * Local attention: the interfaces behind which it is computed, and its forms for the CPU and,
 * through Aparapi, for OpenCL devices.
 */
package org.longspan.executors.kernel;
