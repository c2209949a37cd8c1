package io.sealane.runtime.dl4j;

import io.sealane.runtime.tck.ConcurrencyContract;

class Dl4jConcurrencyTest extends ConcurrencyContract {
  @Override
  protected String engine() {
    return "dl4j";
  }

  @Override
  protected String mlp() {
    return "network-mlp";
  }
}
