/** The network edge of an inference service. */
@NullMarked
package io.sealane.server;

import org.jspecify.annotations.NullMarked;
