package io.sealane.server;

import com.linecorp.armeria.common.util.AbstractListenable;
import com.linecorp.armeria.server.healthcheck.HealthChecker;
import com.linecorp.armeria.server.healthcheck.ListenableHealthChecker;
import java.util.function.Supplier;

/** What {@code grpc.health.v1} tells: whether the server takes requests, as V2's readiness does. */
final class Readiness extends AbstractListenable<HealthChecker> implements ListenableHealthChecker {
  private final Supplier<Boolean> ready;

  Readiness(Supplier<Boolean> ready) {
    this.ready = ready;
  }

  @Override
  public boolean isHealthy() {
    return ready.get();
  }

  /** Tells those who watch. */
  void changed() {
    notifyListeners(this);
  }
}
