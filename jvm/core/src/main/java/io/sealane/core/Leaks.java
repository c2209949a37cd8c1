package io.sealane.core;

import java.lang.ref.Cleaner;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Finds closeable things that were dropped without close: their resources are reclaimed when the
 * garbage collector finds them, and each is reported. Thread-safe.
 *
 * <p>Reports go to the listener of {@link #onLeak}, by default a warning of the {@link
 * System.Logger} named {@code io.sealane.leaks}.
 */
public final class Leaks {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final AtomicLong OPEN = new AtomicLong();
  private static final AtomicLong FOUND = new AtomicLong();
  private static volatile boolean recordCreation;
  private static volatile Consumer<Leak> listener = Leaks::warn;

  private Leaks() {}

  /**
   * A thing that was never closed.
   *
   * @param what its description, such as {@code Tensor FP32[1, 64]}
   * @param count how many leaks this process has found, this one included
   * @param createdAt where it was made, or null unless {@link #recordCreation} was on
   */
  public record Leak(String what, long count, @Nullable Throwable createdAt) {}

  /** Ends the tracking of one thing. */
  public static final class Tracker {
    private final Cleaner.Cleanable cleanable;
    private final State state;

    private Tracker(Cleaner.Cleanable cleanable, State state) {
      this.cleanable = cleanable;
      this.state = state;
    }

    /** The thing was closed: nothing is reported, and its reclaim action does not run. */
    public void closed() {
      if (state.end()) {
        cleanable.clean();
      }
    }
  }

  /**
   * Watches {@code owner} until its tracker is told that it was closed.
   *
   * @param what describes the owner in a report; must not hold on to it
   * @param reclaim frees what the owner held; must not hold on to it
   */
  public static Tracker track(Object owner, Supplier<String> what, Runnable reclaim) {
    OPEN.incrementAndGet();
    State state = new State(what, reclaim, recordCreation ? new Throwable("created here") : null);
    return new Tracker(CLEANER.register(owner, state), state);
  }

  /** Runs {@code action} once {@code owner} can no longer be reached, without any report. */
  static void afterUnreachable(Object owner, Runnable action) {
    CLEANER.register(owner, action);
  }

  /** How many tracked things are open now. */
  public static long open() {
    return OPEN.get();
  }

  /** How many things were found dropped without close since the process began. */
  public static long found() {
    return FOUND.get();
  }

  /** Sets who is told of each leak; called on a cleaner thread, must not block. */
  public static void onLeak(Consumer<Leak> leakListener) {
    listener = Objects.requireNonNull(leakListener);
  }

  /** Whether new things remember the stack that made them; costs microseconds each, off first. */
  public static void recordCreation(boolean on) {
    recordCreation = on;
  }

  private static void warn(Leak leak) {
    System.getLogger("io.sealane.leaks")
        .log(
            System.Logger.Level.WARNING,
            leak.what()
                + " was never closed; use try-with-resources (leak "
                + leak.count()
                + " of this process)",
            leak.createdAt());
  }

  private static final class State implements Runnable {
    private final Supplier<String> what;
    private final Runnable reclaim;
    private final @Nullable Throwable createdAt;
    private final AtomicBoolean ended = new AtomicBoolean();

    State(Supplier<String> what, Runnable reclaim, @Nullable Throwable createdAt) {
      this.what = what;
      this.reclaim = reclaim;
      this.createdAt = createdAt;
    }

    boolean end() {
      if (!ended.compareAndSet(false, true)) {
        return false;
      }
      OPEN.decrementAndGet();
      return true;
    }

    @Override
    public void run() {
      if (end()) {
        reclaim.run();
        listener.accept(new Leak(what.get(), FOUND.incrementAndGet(), createdAt));
      }
    }
  }
}
