package io.sealane.serving;

/**
 * How a version fares.
 *
 * @param model the model's name
 * @param version the version; its folder's name where the bundle does not say
 * @param state its state
 * @param reason why it is in that state; where it is READY, why what lies in its folder now can not
 *     take its place, {@link #PLAIN}, or empty
 */
public record VersionStatus(String model, String version, State state, String reason) {
  /** The reason of one that is READY and not a bundle: nothing was proved. */
  public static final String PLAIN = "parity none: a plain model, without golden cases";

  /** From its discovery to its end. */
  public enum State {
    /** Being read, verified and replayed. */
    LOADING,

    /** It answers. */
    READY,

    /** It answers what it had accepted, and goes. */
    UNLOADING,

    /** It does not answer. */
    UNAVAILABLE
  }
}
