/**
 * Bundles score DataFrames on Spark, batch and streaming, without a Python worker. {@code Scorer}
 * is the door from Java; one jar runs on Spark 3.5 and 4.
 */
@NullMarked
package io.sealane.spark;

import org.jspecify.annotations.NullMarked;
