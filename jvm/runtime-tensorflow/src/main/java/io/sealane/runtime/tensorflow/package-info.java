/** TensorFlow behind the engine SPI; nothing of it shows in a public signature. */
@NullMarked
package io.sealane.runtime.tensorflow;

import org.jspecify.annotations.NullMarked;
