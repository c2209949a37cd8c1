/** Networks as ONNX models, the same bytes as in Python (docs/network-format.md §4.2). */
@NullMarked
package io.sealane.training.onnx;

import org.jspecify.annotations.NullMarked;
