/** Bundles on their way to executors, and the sessions that executors share. */
@NullMarked
package io.sealane.spark.model;

import org.jspecify.annotations.NullMarked;
