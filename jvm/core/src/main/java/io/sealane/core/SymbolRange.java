package io.sealane.core;

/**
 * The sizes a symbolic dim may take.
 *
 * @param min smallest size, inclusive
 * @param max largest size, inclusive; {@link Long#MAX_VALUE} for no bound
 * @param multipleOf the size is a multiple of this
 */
public record SymbolRange(long min, long max, long multipleOf) {}
