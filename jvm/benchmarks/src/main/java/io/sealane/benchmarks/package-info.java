/** Benchmarks beside raw ONNX Runtime, and soak runs. */
@NullMarked
package io.sealane.benchmarks;

import org.jspecify.annotations.NullMarked;
