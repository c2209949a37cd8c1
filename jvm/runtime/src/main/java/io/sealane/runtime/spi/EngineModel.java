package io.sealane.runtime.spi;

import io.sealane.bundle.Artifact;
import io.sealane.bundle.Variant;
import io.sealane.core.Signature;

/**
 * A verified artifact and what it must compute.
 *
 * @param label the bundle and variant, for messages
 * @param variant the variant, with the engine's names for the signature's tensors
 * @param artifact its bytes
 * @param signature what it takes and gives
 */
public record EngineModel(String label, Variant variant, Artifact artifact, Signature signature) {}
