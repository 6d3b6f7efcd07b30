/** A training run as a resource of a Kubernetes cluster, and how it goes there. */
package org.longspan.jobs.kubernetes;
