/**
 * Nodes of Catalyst's plans. Compiled twice: as it stands for Scala 2.13, and with the names that
 * differ replaced for Scala 2.12 (see the pom of spark-plan-2.12).
 */
@NullMarked
package io.sealane.spark.plan;

import org.jspecify.annotations.NullMarked;
