/** Columns of Spark made into tensors and back: the rules, and the work on one batch of rows. */
@NullMarked
package io.sealane.spark.rows;

import org.jspecify.annotations.NullMarked;
