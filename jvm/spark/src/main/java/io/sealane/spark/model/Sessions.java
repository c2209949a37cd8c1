package io.sealane.spark.model;

import io.sealane.core.ErrorCode;
import io.sealane.core.SealaneException;
import io.sealane.runtime.Sealane;
import io.sealane.runtime.Session;
import io.sealane.runtime.SessionConfig;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.hadoop.conf.Configuration;

/**
 * The sessions of this executor, one for each bundle and settings, shared by its tasks. A session
 * is opened once, by the first task that needs it, golden cases replayed; the others wait. Those
 * that no task uses are closed, the longest unused first, when there are too many. Safe for use by
 * several threads.
 */
public final class Sessions {
  /** Sessions kept open when no task uses them. */
  public static final int KEPT = 4;

  private static final Sessions OF_THIS_JVM = new Sessions(KEPT);

  private final int kept;
  private final Map<Key, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final AtomicLong opened = new AtomicLong();

  Sessions(int kept) {
    this.kept = kept;
  }

  /** Those of this JVM. */
  public static Sessions ofThisJvm() {
    return OF_THIS_JVM;
  }

  private record Key(String contentId, String manifest, SessionSettings settings) {}

  private static final class Entry {
    final CompletableFuture<Session> session = new CompletableFuture<>();
    int users;
  }

  /** A task's use of a session. */
  public final class Lease implements AutoCloseable {
    private final Entry entry;
    private final boolean first;
    private boolean released;

    private Lease(Entry entry, boolean first) {
      this.entry = entry;
      this.first = first;
    }

    /** The session; not to be closed. */
    public Session session() {
      return entry.session.join();
    }

    /** Whether this lease had it opened. */
    public boolean opened() {
      return first;
    }

    /** Gives it back; idempotent. */
    @Override
    public void close() {
      synchronized (entries) {
        if (!released) {
          released = true;
          entry.users--;
          evict();
        }
      }
    }
  }

  /**
   * A session of that bundle.
   *
   * @throws SealaneException as {@link Sealane#open}; BUNDLE_NOT_FOUND, FILES_DIFFER and so on when
   *     the bundle is gone or changed, CONTENT_ID_MISMATCH when it is another one than the driver
   *     verified
   */
  public Lease lease(BundleReference bundle, SessionSettings settings, Configuration hadoop) {
    Key key = new Key(bundle.contentId(), bundle.manifest(), settings);
    Entry entry;
    boolean first;
    synchronized (entries) {
      Entry known = entries.get(key);
      first = known == null;
      entry = known == null ? new Entry() : known;
      entries.put(key, entry);
      entry.users++;
    }
    try {
      if (first) {
        open(entry, bundle, settings, hadoop);
      }
      entry.session.join();
      return new Lease(entry, first);
    } catch (CompletionException failed) {
      forget(key, entry);
      throw failed.getCause() instanceof SealaneException refused ? refused : failed;
    }
  }

  private void open(
      Entry entry, BundleReference bundle, SessionSettings settings, Configuration hadoop) {
    try {
      entry.session.complete(open(bundle, settings, hadoop));
      opened.incrementAndGet();
    } catch (RuntimeException | Error failed) {
      entry.session.completeExceptionally(failed);
    }
  }

  private void forget(Key key, Entry entry) {
    synchronized (entries) {
      entries.remove(key, entry);
    }
  }

  /** Closes unused sessions above the number kept. Called with the lock. */
  private void evict() {
    int surplus = entries.size() - kept;
    Iterator<Entry> eldestFirst = entries.values().iterator();
    while (surplus > 0 && eldestFirst.hasNext()) {
      Entry entry = eldestFirst.next();
      if (entry.users == 0 && entry.session.isDone() && !entry.session.isCompletedExceptionally()) {
        eldestFirst.remove();
        entry.session.join().close();
        surplus--;
      }
    }
  }

  /** How many sessions were opened in this JVM so far. */
  public long opened() {
    return opened.get();
  }

  private static Session open(
      BundleReference bundle, SessionSettings settings, Configuration hadoop) {
    SessionConfig config =
        SessionConfig.defaults()
            .withEngine(settings.engine())
            .withIntraOpThreads(settings.threads())
            .withSpinning(false);
    return BundleCopies.read(bundle, hadoop, folder -> open(folder, bundle, hadoop, config));
  }

  private static Session open(
      Path folder, BundleReference bundle, Configuration hadoop, SessionConfig config) {
    requireManifest(folder, bundle, hadoop);
    Session session = Sealane.open(folder, config);
    try {
      // Again, for it may have been replaced between.
      requireManifest(folder, bundle, hadoop);
      return session;
    } catch (SealaneException replaced) {
      session.close();
      throw replaced;
    }
  }

  /** The manifest states the content id, and reading the bundle proves that. */
  private static void requireManifest(Path folder, BundleReference bundle, Configuration hadoop) {
    if (Files.isDirectory(folder)) {
      String found = BundleFiles.manifestDigest(folder.toUri().toString(), hadoop);
      if (!found.equals(bundle.manifest())) {
        throw new SealaneException(
            ErrorCode.CONTENT_ID_MISMATCH,
            "bundle "
                + bundle.uri()
                + ": expected the manifest with SHA-256 "
                + bundle.manifest()
                + " that the driver verified, found "
                + found
                + "; it was replaced while the job ran");
      }
    }
  }
}
