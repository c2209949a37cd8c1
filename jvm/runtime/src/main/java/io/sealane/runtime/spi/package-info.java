/**
 * What an engine implements to run a bundle's variants; found by {@link java.util.ServiceLoader}.
 */
@NullMarked
package io.sealane.runtime.spi;

import org.jspecify.annotations.NullMarked;
