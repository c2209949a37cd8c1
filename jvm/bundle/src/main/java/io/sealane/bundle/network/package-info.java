/**
 * A trained model as layers and weights (docs/network-format.md), free of the framework it came
 * from and of the engine that runs it.
 */
@NullMarked
package io.sealane.bundle.network;

import org.jspecify.annotations.NullMarked;
