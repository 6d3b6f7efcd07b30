package org.longspan.executors.bench.collective;

/**
 * One collective that is measured.
 *
 * @param action this rank's part, once
 * @param description how it travels, for people
 */
record Trial(String name, Runnable action, CollectiveWork work, String description) {}
