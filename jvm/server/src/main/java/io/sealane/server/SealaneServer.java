package io.sealane.server;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.MediaType;
import com.linecorp.armeria.common.SessionProtocol;
import com.linecorp.armeria.common.TlsKeyPair;
import com.linecorp.armeria.common.grpc.GrpcSerializationFormats;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.Server;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceConfig;
import com.linecorp.armeria.server.cors.CorsService;
import com.linecorp.armeria.server.cors.CorsServiceBuilder;
import com.linecorp.armeria.server.encoding.DecodingService;
import com.linecorp.armeria.server.encoding.EncodingService;
import com.linecorp.armeria.server.grpc.GrpcHealthCheckService;
import com.linecorp.armeria.server.grpc.GrpcService;
import com.linecorp.armeria.server.grpc.GrpcServiceBuilder;
import io.grpc.protobuf.services.ProtoReflectionServiceV1;
import io.micrometer.core.instrument.binder.MeterBinder;
import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.netty.handler.ssl.ClientAuth;
import io.sealane.core.SealaneException;
import io.sealane.protocols.inference.GRPCInferenceServiceGrpc;
import io.sealane.serving.DataPlane;
import io.sealane.serving.ModelRepository;
import java.io.File;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * A running server. {@link #close} turns readiness to false, goes on accepting for the notice,
 * answers what it accepted, and frees the models.
 */
final class SealaneServer implements AutoCloseable {
  private static final MediaType PROMETHEUS =
      MediaType.parse("text/plain; version=0.0.4; charset=utf-8");

  /**
   * Milliseconds for a client to end its request when the answer has come first. Were it reset at
   * once, clients of gRPC would now and then read that in place of the answer's status.
   */
  private static final long ABORTS_AFTER = 1000;

  /** Threads of a port for what may wait: large bodies, and changes of the repository. */
  private static final int WAITING_THREADS = 16;

  /** Milliseconds for the network to end after the last answer. */
  private static final long STOPS_IN = 5000;

  private static final System.Logger LOG = System.getLogger("io.sealane.server");

  private final ServerConfig config;
  private final ModelRepository repository;
  private final Operations operations;
  private final Server main;
  private final Server management;
  private final ManagementToken token;
  private final ScheduledExecutorService polling =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "sealane-poll");
            thread.setDaemon(true);
            return thread;
          });
  private final AtomicBoolean stopping = new AtomicBoolean();
  private final AtomicBoolean settling = new AtomicBoolean();
  private final Readiness readiness = new Readiness(this::isReady);
  private final Drain drain = new Drain();

  private SealaneServer(ServerConfig config, MeterBinder... others) {
    this.config = config;
    this.operations = new Operations(config.operations(), List.of(others));
    this.repository = new ModelRepository(config.repository(), config.models());
    this.token = ManagementToken.of(config.management().token());
    DataPlane plane = new DataPlane(repository, RoutingKey::ofCall, operations.observer());
    this.main = main(plane);
    this.management = management(plane);
  }

  /**
   * Starts a server: it is live at once, and ready when each model of the repository has answered
   * its golden cases.
   *
   * @param others what else is counted in this process
   * @throws SealaneException BUNDLE_NOT_FOUND when the repository can not be listed
   * @throws IllegalArgumentException when captures can not be written
   */
  static SealaneServer start(ServerConfig config, MeterBinder... others) {
    SealaneServer server = new SealaneServer(config, others);
    server.main.start().join();
    server.management.start().join();
    try {
      server.repository.refresh();
    } catch (RuntimeException failed) {
      server.close();
      throw failed;
    }
    server.readiness.changed();
    server.settle();
    long poll = config.poll().toMillis();
    if (poll > 0) {
      var unused =
          server.polling.scheduleWithFixedDelay(server::poll, poll, poll, TimeUnit.MILLISECONDS);
    }
    return server;
  }

  private void poll() {
    try {
      repository.refresh();
      readiness.changed();
      settle();
    } catch (RuntimeException failed) {
      LOG.log(System.Logger.Level.ERROR, "the repository could not be looked at", failed);
    }
  }

  /** Looks again, when they may be whole, at models whose files had just changed. */
  private void settle() {
    if (repository.isSettling() && !stopping.get() && settling.compareAndSet(false, true)) {
      Runnable again =
          () -> {
            settling.set(false);
            poll();
          };
      var unused = polling.schedule(again, ModelRepository.SETTLES_IN, TimeUnit.MILLISECONDS);
    }
  }

  int port() {
    return main.activeLocalPort();
  }

  int managementPort() {
    return management.activeLocalPort();
  }

  /** What the main port answers. */
  List<ServiceConfig> services() {
    return main.config().serviceConfigs();
  }

  /** What the management port answers. */
  List<ServiceConfig> managementServices() {
    return management.config().serviceConfigs();
  }

  ManagementToken token() {
    return token;
  }

  ModelRepository repository() {
    return repository;
  }

  boolean isReady() {
    return !stopping.get() && repository.isReady();
  }

  private Server main(DataPlane plane) {
    ServerBuilder server = Server.builder();
    InetSocketAddress address = new InetSocketAddress(config.host(), config.port());
    if (config.tls().certificate().isEmpty()) {
      server.port(address, SessionProtocol.HTTP);
    } else {
      server.port(address, SessionProtocol.HTTPS);
      tls(server);
    }
    common(server, !config.tls().certificate().isEmpty());
    new V2Rest(plane, this::isReady).bind(server);
    new V1Rest(plane).bind(server);
    new OpenApi().bind(server);
    V2RepositoryRest rest = new V2RepositoryRest(repository);
    rest.bindIndex(server);
    if (config.management().onMainPort()) {
      rest.bindChanges(server);
      new TorchServeManagementRest(repository).bind(server);
    }
    new TorchServeRest(plane, this::isReady).bind(server, config.management().onMainPort());
    server.service(grpc(plane, config.management().onMainPort()));
    cors(server);
    compressed(server);
    operations.watch(server);
    return server.build();
  }

  private static void compressed(ServerBuilder server) {
    for (String path : List.of("/v1", "/v2", "/predictions")) {
      server.decoratorUnder(path, DecodingService.newDecorator());
      server.decoratorUnder(path, compressing());
    }
  }

  /** Lets web pages of these origins call it from a browser, as TensorFlow Serving's CORS does. */
  private void cors(ServerBuilder server) {
    List<String> origins = config.corsOrigins();
    if (origins.isEmpty()) {
      return;
    }
    CorsServiceBuilder cors =
        origins.contains("*") ? CorsService.builderForAnyOrigin() : CorsService.builder(origins);
    server.decorator(
        cors.allowRequestMethods(HttpMethod.GET, HttpMethod.POST)
            .allowRequestHeaders("content-type", "inference-header-content-length")
            .exposeHeaders("inference-header-content-length")
            .newDecorator());
  }

  private void tls(ServerBuilder server) {
    ServerConfig.Tls tls = config.tls();
    server.tls(TlsKeyPair.of(new File(tls.key()), new File(tls.certificate())));
    if (!tls.clientCa().isEmpty()) {
      server.tlsCustomizer(
          context -> context.trustManager(new File(tls.clientCa())).clientAuth(ClientAuth.REQUIRE));
    }
  }

  private Server management(DataPlane plane) {
    ServerBuilder server = Server.builder();
    ServerConfig.Management at = config.management();
    server.port(new InetSocketAddress(at.host(), at.port()), SessionProtocol.HTTP);
    common(server, false);
    V2RepositoryRest rest = new V2RepositoryRest(repository);
    rest.bindIndex(server);
    rest.bindChanges(server);
    new TorchServeManagementRest(repository).bind(server);
    TorchServeApi.bind(server, false, true);
    server.service(grpc(plane, true));
    new TrafficRest(repository).bind(server);
    Metrics metrics = new Metrics(repository, operations.meters());
    server
        .route()
        .get("/metrics")
        .get("/monitoring/prometheus/metrics")
        .build((context, request) -> HttpResponse.of(HttpStatus.OK, PROMETHEUS, metrics.scrape()));
    new V2Rest(plane, this::isReady).bind(server);
    compressed(server);
    if (at.console()) {
      new Console(repository, config, this::port, this::isReady).bind(server);
    }
    Set<String> open = at.console() ? Console.OPEN : Set.of();
    server.decorator(service -> token.guard(service, open));
    operations.watch(server);
    return server.build();
  }

  private GrpcService grpc(DataPlane plane, boolean changes) {
    GrpcServiceBuilder grpc = GrpcService.builder();
    if (changes) {
      grpc.addService(new TorchServeManagementGrpc(repository));
    }
    grpc.addService(new V2Grpc(plane, this::isReady, changes, drain))
        .addService(new ServingGrpc(plane))
        .addService(new ServingStatusGrpc(plane, changes))
        .addService(new TorchServeGrpc(plane, this::isReady))
        .addService(ProtoReflectionServiceV1.newInstance())
        .supportedSerializationFormats(GrpcSerializationFormats.PROTO)
        .addService(health())
        .maxRequestMessageLength((int) config.maxRequestBytes());
    GrpcService all = grpc.build();
    drain.streams(all.services());
    return all;
  }

  /** By default only JSON that names its charset would be compressed. */
  private static Function<? super HttpService, EncodingService> compressing() {
    return EncodingService.builder()
        .encodableContentTypes(MediaType.JSON, MediaType.OCTET_STREAM)
        .minBytesToForceChunkedEncoding(1024)
        .newDecorator();
  }

  private GrpcHealthCheckService health() {
    return GrpcHealthCheckService.builder()
        .checkers(readiness)
        .serviceCheckers(GRPCInferenceServiceGrpc.SERVICE_NAME, readiness)
        .build();
  }

  private void common(ServerBuilder server, boolean encrypted) {
    server.childChannelPipelineCustomizer(OneWrite::into);
    HeaderTimeout.bind(server, config.headerTimeout(), encrypted);
    server.meterRegistry(new CompositeMeterRegistry());
    server.blockingTaskExecutor(WAITING_THREADS);
    server.maxRequestLength(config.maxRequestBytes());
    server.requestTimeout(config.requestTimeout());
    server.idleTimeout(config.idleTimeout());
    server.gracefulShutdownTimeout(Duration.ZERO, config.drainTimeout());
    server.errorHandler(new JsonErrors());
    server.disableServerHeader();
    server.http1MaxHeaderSize(64 * 1024);
    server.requestAutoAbortDelayMillis(ABORTS_AFTER);
    server.decorator(SmallPieces::refused);
    server.decorator(drain::counted);
  }

  /** Drains, as the class says. Idempotent. */
  @Override
  public void close() {
    if (!stopping.compareAndSet(false, true)) {
      return;
    }
    readiness.changed();
    polling.shutdown();
    try {
      Thread.sleep(config.drainNotice().toMillis());
    } catch (InterruptedException sooner) {
      Thread.currentThread().interrupt();
    }
    try {
      if (!drain.close(config.drainTimeout())) {
        LOG.log(System.Logger.Level.WARNING, "not all requests were answered in time");
      }
    } catch (InterruptedException sooner) {
      Thread.currentThread().interrupt();
    }
    CompletableFuture<Void> stopped = CompletableFuture.allOf(main.stop(), management.stop());
    try {
      stopped.get(STOPS_IN, TimeUnit.MILLISECONDS);
    } catch (InterruptedException sooner) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException | TimeoutException late) {
      LOG.log(System.Logger.Level.WARNING, "the network did not end in time", late);
    }
    repository.close();
    operations.close();
  }
}
