/** Deeplearning4j as an engine: trains the networks of bundles, and runs them. */
@NullMarked
package io.sealane.runtime.dl4j;

import org.jspecify.annotations.NullMarked;
