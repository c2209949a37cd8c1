package io.sealane.server;

import io.sealane.serving.Execution;
import io.sealane.serving.InferenceRequest;
import io.sealane.serving.InferenceResponse;
import io.sealane.serving.Observation;
import io.sealane.serving.RequestObserver;
import io.sealane.serving.ServedVersion;
import org.jspecify.annotations.Nullable;

/** Notes in a call's record what the data plane tells of its requests. */
final class CallObserver implements RequestObserver {
  private final @Nullable Tracing tracing;

  /** With the phases of traced requests as spans, unless {@code tracing} is null. */
  CallObserver(@Nullable Tracing tracing) {
    this.tracing = tracing;
  }

  @Override
  public Observation begun(InferenceRequest request) {
    CallRecord record = CallRecord.current();
    if (record == null) {
      return Observation.NONE;
    }
    record.asks(request.model());
    return new Noting(record, tracing);
  }

  private static final class Noting implements Observation {
    private final CallRecord record;
    private final @Nullable Tracing tracing;
    private volatile @Nullable Execution execution;

    Noting(CallRecord record, @Nullable Tracing tracing) {
      this.record = record;
      this.tracing = tracing;
    }

    @Override
    public void ran(Execution how) {
      execution = how;
      record.ran(how);
    }

    @Override
    public void answered(ServedVersion version, InferenceResponse response) {
      record.answers(version.version());
      Execution how = execution;
      if (tracing != null && how != null) {
        tracing.ran(record, version, how);
      }
    }

    @Override
    public void failed(@Nullable ServedVersion version, Throwable error) {
      record.failed(error);
      if (version != null) {
        record.answers(version.version());
      }
    }
  }
}
