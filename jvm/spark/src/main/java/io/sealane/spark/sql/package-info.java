/** Bundles as functions of SQL. */
@NullMarked
package io.sealane.spark.sql;

import org.jspecify.annotations.NullMarked;
