/** ONNX Runtime behind the engine SPI; nothing of it shows in a public signature. */
@NullMarked
package io.sealane.runtime.onnx;

import org.jspecify.annotations.NullMarked;
