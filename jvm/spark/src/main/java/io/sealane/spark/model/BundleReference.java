package io.sealane.spark.model;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * A bundle that the driver verified, as tasks find it.
 *
 * @param location what the user gave: a path or URI of a bundle, or of a folder of versions
 * @param uri the bundle's own folder
 * @param contentId what its files must have
 * @param manifest SHA-256 of its manifest, which the content id does not cover: the same files may
 *     have another signature
 * @param archive the name of the shipped file that holds it, or null when each executor reads the
 *     URI itself
 */
public record BundleReference(
    String location, String uri, String contentId, String manifest, @Nullable String archive)
    implements Serializable {}
