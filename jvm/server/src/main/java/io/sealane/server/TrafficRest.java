package io.sealane.server;

import com.linecorp.armeria.common.AggregatedHttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.server.ServerBuilder;
import com.linecorp.armeria.server.ServiceRequestContext;
import io.sealane.serving.ModelRepository;
import io.sealane.serving.ServedModel;
import io.sealane.serving.ServedVersion;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How requests are shared out over versions, how each of them fares, and how far their numbers are
 * from those of their shadows: {@code /traffic} for all models, {@code /traffic/MODEL} for one,
 * whose canary weights are set there too, and two versions side by side.
 */
final class TrafficRest {
  private static final System.Logger LOG = System.getLogger("io.sealane.server");

  private final ModelRepository repository;

  TrafficRest(ModelRepository repository) {
    this.repository = repository;
  }

  void bind(ServerBuilder server) {
    server.route().get("/traffic").build(HttpCalls.now(context -> all()));
    server.route().get("/traffic/{model}").build(HttpCalls.now(this::one));
    server.route().put("/traffic/{model}").build(HttpCalls.waiting(this::set));
    server.route().delete("/traffic/{model}").build(HttpCalls.waiting(this::reset));
    server.route().get("/traffic/{model}/compare").build(HttpCalls.now(this::compare));
  }

  private HttpResponse all() {
    List<ServedModel> models = repository.models();
    return Json.of(HttpStatus.OK, json -> TrafficJson.models(json, models));
  }

  private static String name(ServiceRequestContext context) {
    return String.valueOf(context.pathParam("model"));
  }

  private ServedModel model(ServiceRequestContext context) {
    return repository.model(name(context));
  }

  private HttpResponse one(ServiceRequestContext context) {
    return told(model(context));
  }

  private static HttpResponse told(ServedModel model) {
    return Json.of(HttpStatus.OK, json -> TrafficJson.model(json, model));
  }

  private HttpResponse set(ServiceRequestContext context, AggregatedHttpRequest request) {
    Map<String, Double> canary = TrafficSettings.canary(request.content().array());
    return changed(repository.setCanary(name(context), canary));
  }

  private HttpResponse reset(ServiceRequestContext context, AggregatedHttpRequest request) {
    return changed(repository.resetCanary(name(context)));
  }

  private static HttpResponse changed(ServedModel model) {
    LOG.log(
        System.Logger.Level.INFO,
        "canary weights of model {0} were set to {1}",
        model.name(),
        model.canary());
    return told(model);
  }

  private HttpResponse compare(ServiceRequestContext context) {
    ServedModel model = model(context);
    ServedVersion a = version(model, "a", context.queryParam("a"));
    ServedVersion b = version(model, "b", context.queryParam("b"));
    return Json.of(HttpStatus.OK, json -> TrafficJson.compared(json, model, a, b));
  }

  private static ServedVersion version(ServedModel model, String name, @Nullable String version) {
    if (version == null || version.isEmpty()) {
      throw Requests.invalid("two versions are compared: parameter " + name + " is missing");
    }
    return model.version(version);
  }
}
