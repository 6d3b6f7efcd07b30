package org.longspan.executors.generate;

/**
 * What a model wrote.
 *
 * @param text without the prompt
 * @param promptTokens that it read first, the start of the document among them
 * @param promptSeconds that reading them took
 * @param tokens that it wrote
 * @param seconds that writing them took
 */
public record Writing(
    String text, int promptTokens, double promptSeconds, int tokens, double seconds) {}
