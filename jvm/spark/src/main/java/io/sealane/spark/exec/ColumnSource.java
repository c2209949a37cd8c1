package io.sealane.spark.exec;

/**
 * Where a scored column comes from.
 *
 * @param index its place among the data set's columns, or -1 for a field of one
 * @param name how the data set resolves it
 */
public record ColumnSource(int index, String name) {}
