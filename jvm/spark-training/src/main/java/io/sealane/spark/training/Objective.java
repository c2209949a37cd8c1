package io.sealane.spark.training;

import io.sealane.bundle.network.Loss;
import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.training.Parent;
import java.util.Locale;

/** What a target is, which decides with the output's meaning the loss. */
public enum Objective {
  /** 0 or 1, or a share between: binary cross-entropy. */
  BINARY,
  /** A class index from 0: categorical cross-entropy. */
  CATEGORIES,
  /** Finite numbers: the mean squared error. */
  SQUARED;

  /**
   * The objective of that name, such as {@code binary}.
   *
   * @throws SealaneException INPUT_DOMAIN when there is none
   */
  static Objective of(String name) {
    for (Objective objective : values()) {
      if (objective.id().equals(name)) {
        return objective;
      }
    }
    throw new SealaneException(ErrorCode.INPUT_DOMAIN, "loss = " + name + " can not train a model");
  }

  String id() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * The loss of an output of a bundle's signature: of its logits, or of probabilities where the
   * output is one.
   */
  Loss loss(Parent parent, String output) {
    String judged = parent.networkOutput(output);
    boolean probability = parent.isProbability(output);
    Loss.Kind kind =
        switch (this) {
          case SQUARED -> Loss.Kind.MEAN_SQUARED_ERROR;
          case BINARY ->
              probability ? Loss.Kind.BINARY_CROSS_ENTROPY : Loss.Kind.BINARY_CROSS_ENTROPY_LOGITS;
          case CATEGORIES ->
              probability
                  ? Loss.Kind.CATEGORICAL_CROSS_ENTROPY
                  : Loss.Kind.CATEGORICAL_CROSS_ENTROPY_LOGITS;
        };
    return new Loss(kind, judged);
  }

  /** Whether a target is one that this objective takes. */
  boolean takes(double target, long classes) {
    return switch (this) {
      case BINARY -> target >= 0 && target <= 1;
      case CATEGORIES -> target >= 0 && target < classes && target == Math.rint(target);
      case SQUARED -> Double.isFinite(target);
    };
  }
}
