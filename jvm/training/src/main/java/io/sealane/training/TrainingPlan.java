package io.sealane.training;

import io.sealane.bundle.JsonPrinter;
import io.sealane.bundle.network.Loss;
import io.sealane.bundle.network.Optimizer;
import io.sealane.training.spi.TrainingSettings;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Everything that decides what a run computes. Two runs of equal plans over equal data from equal
 * parents on one engine give equal bits.
 *
 * @param parent the parent's content id
 * @param engine the training engine's name and version
 * @param optimizer how the weights move
 * @param loss what is made small
 * @param frozen layers that stay
 * @param epochs passes over the rows
 * @param batchSize rows of a step
 * @param seed of the split, the order of rows and the engine
 * @param shuffle whether rows change their order each epoch
 * @param threads threads of the engine
 * @param patience epochs without improvement after which it stops, or 0 for never
 * @param rows fingerprint of the rows trained on
 * @param validation fingerprint of the rows held out, the share of the rows, or empty
 */
record TrainingPlan(
    String parent,
    String engine,
    Optimizer optimizer,
    Loss loss,
    List<String> frozen,
    int epochs,
    int batchSize,
    long seed,
    boolean shuffle,
    int threads,
    int patience,
    String rows,
    String validation) {

  TrainingSettings settings() {
    return new TrainingSettings(optimizer, loss, Set.copyOf(frozen), seed, threads);
  }

  /** As it stands in the child's lineage, without the parent. */
  Map<String, @Nullable Object> members() {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("engine", engine);
    members.put("optimizer", optimizer(optimizer));
    Map<String, @Nullable Object> judged = new LinkedHashMap<>();
    judged.put("kind", loss.kind().id());
    judged.put("output", loss.output());
    members.put("loss", judged);
    members.put("frozen", frozen);
    members.put("epochs", epochs);
    members.put("batchSize", batchSize);
    members.put("seed", seed);
    members.put("shuffle", shuffle);
    members.put("threads", threads);
    members.put("patience", patience);
    members.put("data", rows);
    members.put("validation", validation);
    return members;
  }

  private static Map<String, @Nullable Object> optimizer(Optimizer optimizer) {
    Map<String, @Nullable Object> members = new LinkedHashMap<>();
    members.put("kind", optimizer.kind());
    members.put("learningRate", optimizer.learningRate());
    if (optimizer instanceof Optimizer.Nesterov nesterov) {
      members.put("momentum", nesterov.momentum());
    } else if (optimizer instanceof Optimizer.Adam adam) {
      members.put("beta1", adam.beta1());
      members.put("beta2", adam.beta2());
      members.put("epsilon", adam.epsilon());
      members.put(
          "epsilonForm",
          adam.epsilonForm() == Optimizer.EpsilonForm.CORRECTED ? "corrected" : "uncorrected");
    }
    return members;
  }

  /** Names the plan: a checkpoint goes on only under the plan that it was made by. */
  String fingerprint() {
    Map<String, @Nullable Object> members = members();
    members.put("parent", parent);
    byte[] text = JsonPrinter.compact(members).getBytes(StandardCharsets.UTF_8);
    return "sha256:" + HexFormat.of().formatHex(TrainingData.sha256().digest(text));
  }
}
