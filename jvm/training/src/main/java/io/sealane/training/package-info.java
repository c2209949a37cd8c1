/**
 * Trains a bundle's network in the JVM, without Python, and writes the child bundle with a fresh
 * ONNX model.
 */
@NullMarked
package io.sealane.training;

import org.jspecify.annotations.NullMarked;
