/**
 * Networks computed in float64, without an engine: the oracle that a child bundle's golden cases
 * are judged by (docs/network-format.md §4).
 */
@NullMarked
package io.sealane.training.oracle;

import org.jspecify.annotations.NullMarked;
