package io.sealane.training;

import io.sealane.bundle.network.NetworkWeights;
import java.util.ArrayList;
import java.util.List;

/** Where a run stands, apart from the engine's own state. Written by the run alone. */
final class RunState {
  /** Epochs done. */
  int epoch;

  /** Rows of the epoch in progress that were stepped over. */
  int cursor;

  /** Steps done. */
  long step;

  /** Sum over the epoch's steps of loss times rows. */
  double lossSum;

  /** Rows behind that sum. */
  long lossRows;

  /** The epoch of the best weights. */
  int bestEpoch;

  /** Their loss on the validation rows. */
  double bestLoss = Double.POSITIVE_INFINITY;

  /** Those weights. */
  NetworkWeights best;

  /** What the listener was told. */
  final List<Progress> history = new ArrayList<>();

  RunState(NetworkWeights start) {
    this.best = start;
  }
}
