package io.sealane.spark.model;

import io.sealane.bundle.Manifest;

/**
 * What the driver knows of a bundle.
 *
 * @param reference how tasks find it
 * @param manifest what it says of itself
 */
public record ResolvedBundle(BundleReference reference, Manifest manifest) {}
