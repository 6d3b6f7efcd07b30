/** What a run asks of the cluster, and whether the cluster has it. */
package org.longspan.driver.plan;
