package io.sealane.runtime.spi;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Tells runs that nobody wants their result any more. Safe for use by any thread. */
public final class Cancellation {
  private final List<Registration> actions = new ArrayList<>();
  private boolean cancelled;

  /** One that is cancelled when all of these are. */
  public static Cancellation ofAll(Collection<Cancellation> parts) {
    Cancellation all = new Cancellation();
    AtomicInteger left = new AtomicInteger(parts.size());
    for (Cancellation part : parts) {
      Registration unused =
          part.onCancel(
              () -> {
                if (left.decrementAndGet() == 0) {
                  all.cancel();
                }
              });
    }
    return all;
  }

  /** Cancels, and runs what is registered. Idempotent. */
  public synchronized void cancel() {
    cancelled = true;
    actions.forEach(each -> each.action.run());
    actions.clear();
  }

  /** Whether it was cancelled. */
  public synchronized boolean isCancelled() {
    return cancelled;
  }

  /**
   * Registers what is done when it is cancelled, at once if it was already.
   *
   * @param action short, and does not throw; runs at most once, on the thread that cancels
   * @return closed by the caller, when the action shall not run any more
   */
  public synchronized Registration onCancel(Runnable action) {
    Registration registration = new Registration(this, action);
    if (cancelled) {
      action.run();
    } else {
      actions.add(registration);
    }
    return registration;
  }

  /** An action that is registered. */
  public static final class Registration implements AutoCloseable {
    private final Cancellation of;
    private final Runnable action;

    private Registration(Cancellation of, Runnable action) {
      this.of = of;
      this.action = action;
    }

    /** When this returns, the action does not run, now or later. Idempotent. */
    @Override
    public void close() {
      synchronized (of) {
        of.actions.remove(this);
      }
    }
  }
}
