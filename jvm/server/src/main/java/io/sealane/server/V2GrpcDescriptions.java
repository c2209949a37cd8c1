package io.sealane.server;

import io.sealane.core.TensorSpec;
import io.sealane.protocols.inference.DataType;
import io.sealane.protocols.inference.InferBatchStatistics;
import io.sealane.protocols.inference.InferStatistics;
import io.sealane.protocols.inference.ModelConfig;
import io.sealane.protocols.inference.ModelDynamicBatching;
import io.sealane.protocols.inference.ModelInput;
import io.sealane.protocols.inference.ModelInstanceGroup;
import io.sealane.protocols.inference.ModelMetadataResponse;
import io.sealane.protocols.inference.ModelMetadataResponse.TensorMetadata;
import io.sealane.protocols.inference.ModelOutput;
import io.sealane.protocols.inference.ModelParameter;
import io.sealane.protocols.inference.ModelStatistics;
import io.sealane.protocols.inference.ModelStatisticsResponse;
import io.sealane.protocols.inference.ModelVersionPolicy;
import io.sealane.protocols.inference.RepositoryIndexResponse;
import io.sealane.protocols.inference.StatisticDuration;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import io.sealane.serving.Statistics;
import io.sealane.serving.VersionStatus;
import java.util.List;

/** V2's messages of gRPC about models: what {@link V2Descriptions} tells in JSON. */
final class V2GrpcDescriptions {
  private V2GrpcDescriptions() {}

  static ModelMetadataResponse metadata(ServedModel model, ServedVersion version) {
    ModelMetadataResponse.Builder metadata =
        ModelMetadataResponse.newBuilder()
            .setName(model.name())
            .addAllVersions(model.versions().keySet())
            .setPlatform(V2Models.platform(version));
    version.session().signature().inputs().forEach(spec -> metadata.addInputs(tensor(spec)));
    version.session().signature().outputs().forEach(spec -> metadata.addOutputs(tensor(spec)));
    return metadata.build();
  }

  private static TensorMetadata tensor(TensorSpec spec) {
    return TensorMetadata.newBuilder()
        .setName(spec.name())
        .setDatatype(spec.dtype().name())
        .addAllShape(V2Models.shape(spec))
        .build();
  }

  static ModelConfig configuration(ServedVersion version) {
    ModelConfig.Builder config =
        ModelConfig.newBuilder()
            .setName(version.model())
            .setPlatform(V2Models.platform(version))
            .setBackend(version.session().engine())
            .setMaxBatchSize(V2Models.maxBatchSize(version))
            .putParameters("parity", parameter(version.parity()))
            .setVersionPolicy(
                ModelVersionPolicy.newBuilder()
                    .setLatest(ModelVersionPolicy.Latest.newBuilder().setNumVersions(1)))
            .addInstanceGroup(
                ModelInstanceGroup.newBuilder()
                    .setName(version.model() + "_0")
                    .setKind(ModelInstanceGroup.Kind.KIND_CPU)
                    .setCount(version.batching().workers()));
    for (TensorSpec spec : version.session().signature().inputs()) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(spec.name())
              .setDataType(DataType.valueOf(V2Models.configuredType(spec.dtype())))
              .addAllDims(V2Models.configuredShape(version, spec)));
    }
    for (TensorSpec spec : version.session().signature().outputs()) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(spec.name())
              .setDataType(DataType.valueOf(V2Models.configuredType(spec.dtype())))
              .addAllDims(V2Models.configuredShape(version, spec)));
    }
    if (version.batching().maxRows() > 1 && V2Models.maxBatchSize(version) > 0) {
      config.setDynamicBatching(
          ModelDynamicBatching.newBuilder()
              .setMaxQueueDelayMicroseconds(version.batching().maxDelay().toNanos() / 1000));
    }
    return config.build();
  }

  private static ModelParameter parameter(String value) {
    return ModelParameter.newBuilder().setStringValue(value).build();
  }

  static ModelStatisticsResponse statistics(List<ServedVersion> versions) {
    ModelStatisticsResponse.Builder all = ModelStatisticsResponse.newBuilder();
    versions.forEach(version -> all.addModelStats(statistics(version)));
    return all.build();
  }

  private static ModelStatistics statistics(ServedVersion version) {
    Statistics statistics = version.statistics();
    Statistics.Runs phases = statistics.phases();
    ModelStatistics.Builder of =
        ModelStatistics.newBuilder()
            .setName(version.model())
            .setVersion(version.version())
            .setLastInference(statistics.lastRun())
            .setInferenceCount(statistics.rows())
            .setExecutionCount(statistics.executions())
            .setInferenceStats(
                InferStatistics.newBuilder()
                    .setSuccess(timed(statistics.success()))
                    .setFail(timed(statistics.failure()))
                    .setQueue(timed(statistics.queue()))
                    .setComputeInput(timed(phases.gathering()))
                    .setComputeInfer(timed(phases.running()))
                    .setComputeOutput(timed(phases.parting()))
                    .setCacheHit(StatisticDuration.getDefaultInstance())
                    .setCacheMiss(StatisticDuration.getDefaultInstance()));
    statistics
        .runs()
        .forEach(
            (rows, runs) -> {
              Statistics.Runs now = runs.snapshot();
              of.addBatchStats(
                  InferBatchStatistics.newBuilder()
                      .setBatchSize(rows)
                      .setComputeInput(timed(now.gathering()))
                      .setComputeInfer(timed(now.running()))
                      .setComputeOutput(timed(now.parting())));
            });
    return of.build();
  }

  private static StatisticDuration timed(Statistics.Timed timed) {
    return StatisticDuration.newBuilder().setCount(timed.count()).setNs(timed.nanos()).build();
  }

  static RepositoryIndexResponse index(List<VersionStatus> index) {
    RepositoryIndexResponse.Builder all = RepositoryIndexResponse.newBuilder();
    for (VersionStatus each : index) {
      all.addModelsBuilder()
          .setName(each.model())
          .setVersion(each.version())
          .setState(each.state().name())
          .setReason(each.reason());
    }
    return all.build();
  }
}
