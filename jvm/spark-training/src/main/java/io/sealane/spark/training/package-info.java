/** Trains a bundle's network on the rows of a data set, on the executors' JVMs. */
@NullMarked
package io.sealane.spark.training;

import org.jspecify.annotations.NullMarked;
