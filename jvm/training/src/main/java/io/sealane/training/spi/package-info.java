/** What an engine implements to train a network; found by {@link java.util.ServiceLoader}. */
@NullMarked
package io.sealane.training.spi;

import org.jspecify.annotations.NullMarked;
