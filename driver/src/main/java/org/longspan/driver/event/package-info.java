/**
 * What ranks say, to each other when they meet and to the driver, and how that and their plan are
 * written.
 */
package org.longspan.driver.event;
