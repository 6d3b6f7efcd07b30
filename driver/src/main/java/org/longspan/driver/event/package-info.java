/** What ranks say, to each other when they meet and to the driver, and how it is written. */
package org.longspan.driver.event;
