package io.sealane.spark.model;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * How executors open a bundle.
 *
 * @param engine the engine's name, or null for the best one that is there
 * @param threads threads of one operator: as many as a task has cores
 */
public record SessionSettings(@Nullable String engine, int threads) implements Serializable {}
