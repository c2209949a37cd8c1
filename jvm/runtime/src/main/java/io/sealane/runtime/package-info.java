/** Verified bundles made callable: {@link io.sealane.runtime.Sealane#open} gives a session. */
@NullMarked
package io.sealane.runtime;

import org.jspecify.annotations.NullMarked;
