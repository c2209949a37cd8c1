/**
 * The model on disk: reads a bundle (docs/bundle-format.md), trusts nothing in it, and hands out
 * only what was verified. {@link io.sealane.bundle.BundleReader} is the way in.
 */
@NullMarked
package io.sealane.bundle;

import org.jspecify.annotations.NullMarked;
