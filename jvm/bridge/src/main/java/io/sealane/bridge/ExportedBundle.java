package io.sealane.bridge;

import java.nio.file.Path;

/**
 * A bundle that Python wrote.
 *
 * @param path its directory; open it with {@link io.sealane.runtime.Sealane#open}
 * @param contentId the content id it was written with
 */
public record ExportedBundle(Path path, String contentId) {}
