/** The tests that every engine must pass: extend {@link io.sealane.runtime.tck.EngineContract}. */
@NullMarked
package io.sealane.runtime.tck;

import org.jspecify.annotations.NullMarked;
