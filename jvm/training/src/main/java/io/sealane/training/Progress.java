package io.sealane.training;

import org.jspecify.annotations.Nullable;

/**
 * Where training stands, told after each epoch.
 *
 * @param epoch epochs done, from 1; 0 for the parent, before the first step
 * @param epochs epochs asked for
 * @param step optimizer steps done
 * @param loss mean training loss of this epoch, dropout included; NaN for epoch 0
 * @param validation on the validation rows, or null without any
 * @param best whether these weights are the best on the validation rows so far
 */
public record Progress(
    int epoch, int epochs, long step, double loss, @Nullable Metrics validation, boolean best) {}
