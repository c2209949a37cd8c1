/** The server's side of scoring for clients of Spark Connect. */
@NullMarked
package io.sealane.spark.connect;

import org.jspecify.annotations.NullMarked;
