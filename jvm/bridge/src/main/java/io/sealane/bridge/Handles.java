package io.sealane.bridge;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Closeable things by number. Numbers are never used twice. */
final class Handles {
  private final Map<Long, AutoCloseable> open = new ConcurrentHashMap<>();
  private final AtomicLong last = new AtomicLong();

  long add(AutoCloseable thing) {
    long handle = last.incrementAndGet();
    open.put(handle, thing);
    return handle;
  }

  <T extends AutoCloseable> T get(long handle, Class<T> type) {
    AutoCloseable thing = open.get(handle);
    if (!type.isInstance(thing)) {
      throw new SealaneException(
          ErrorCode.SESSION_CLOSED,
          "handle " + handle + " is no open " + type.getSimpleName() + ": it was closed before");
    }
    return type.cast(thing);
  }

  void close(long handle) {
    AutoCloseable thing = open.remove(handle);
    if (thing == null) {
      return;
    }
    try {
      thing.close();
    } catch (RuntimeException failed) {
      throw failed;
    } catch (Exception checked) {
      throw new SealaneException(
          ErrorCode.BRIDGE_FAILED, "handle " + handle + " did not close: " + checked, checked);
    }
  }

  int size() {
    return open.size();
  }
}
