/** What tasks do: rows or columnar batches in, the same with scores out. */
@NullMarked
package io.sealane.spark.exec;

import org.jspecify.annotations.NullMarked;
